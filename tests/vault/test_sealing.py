"""Sealing and opening, against a real key store."""

from dataclasses import replace

import pytest

from register.accepted import AcceptedMention, OpenedMention
from register.errors import Conflict, Tampered, Unavailable
from register.ids import IdentifierId, SubjectId, mint
from register.interfaces import DeliveryKey
from register.sealed import MENTION_FIELDS, Sealed
from tests.vault.builders import batch, one_signal, passport, signal, subject
from vault.keystore.store import KeyStore
from vault.lookup import Lookup
from vault.sealing import Sealer

KEY = DeliveryKey(contributor="desk", reference="ref-1")


def stated(mention: AcceptedMention | OpenedMention) -> tuple[object, ...]:
    identifiers = tuple((one.kind, one.value) for one in mention.identifiers)
    return mention.facts, mention.names, mention.born_on, mention.position, identifiers, mention.labels


def test_a_signal_opens_as_it_was_sealed(sealer: Sealer) -> None:
    accepted = one_signal()
    (sealed,) = sealer.seal(accepted).signals
    opened = sealer.open_signal(sealed, with_source=True)
    (original,) = accepted.signals
    assert opened.facts == original.facts
    assert opened.reference == original.reference
    assert opened.texts == original.texts
    assert [stated(one) for one in opened.mentions] == [stated(one) for one in original.mentions]


def test_the_source_is_opened_only_on_request(sealer: Sealer) -> None:
    (sealed,) = sealer.seal(one_signal()).signals
    assert "source_description" not in sealer.open_signal(sealed).texts
    assert "source_description" in sealer.open_signal(sealed, with_source=True).texts
    without = replace(sealed, sealed={k: v for k, v in sealed.sealed.items() if k != "source_description"})
    assert sealer.open_signal(without).texts
    with pytest.raises(Tampered):
        sealer.open_signal(without, with_source=True)


@pytest.mark.parametrize("field", ["narrative", "necessity", "obtained", "reference"])
def test_a_field_taken_away_is_found_out(sealer: Sealer, field: str) -> None:
    (sealed,) = sealer.seal(one_signal()).signals
    with pytest.raises(Tampered):
        sealer.open_signal(replace(sealed, sealed={k: v for k, v in sealed.sealed.items() if k != field}))


def test_a_field_added_is_found_out(sealer: Sealer) -> None:
    (sealed,) = sealer.seal(one_signal()).signals
    with pytest.raises(Tampered):
        sealer.open_signal(replace(sealed, sealed={**sealed.sealed, "conditions": sealed.sealed["narrative"]}))


def test_names_stream_in_order(sealer: Sealer) -> None:
    sealed = sealer.seal(one_signal()).signals[0]
    rows = [(one.facts.id, one.facts.subject, one.sealed["names"]) for one in sealed.mentions] * 3
    assert list(sealer.open_names(iter(rows))) == [(("Adriaan Terhorst-Vermeer", "A. Terhorst"), "1971-03")] * 6


def test_names_that_do_not_open_do_not_take_the_others_along(sealer: Sealer) -> None:
    (mention,) = sealer.seal(one_signal()).signals[0].mentions[:1]
    names, subject = mention.sealed["names"], mention.facts.subject
    damaged = Sealed(names.blob[:-1] + bytes([names.blob[-1] ^ 1]))
    rows = [
        (mention.facts.id, subject, damaged),
        (mention.facts.id, SubjectId("0" * 32), names),
        (mention.facts.id, subject, Sealed(b"")),
        (mention.facts.id, subject, names),
    ]
    opened = list(sealer.open_names(rows))
    assert opened[:3] == [None] * 3
    assert opened[3] is not None


def test_deliveries_and_identifiers_are_found_by_value(store: KeyStore, sealer: Sealer) -> None:
    lookup = Lookup(store)
    accepted = one_signal()
    (original,) = accepted.signals
    assert lookup.deliveries({KEY: original.digest}) == {}
    sealed = sealer.seal(accepted)
    pending = lookup.deliveries({KEY: original.digest})[KEY]
    assert (pending.done, pending.same, pending.signal) == (False, True, original.facts.id)
    assert pending.subjects == original.created
    assert lookup.deliveries({KEY: b"other content"})[KEY].same is False
    sealer.settle(sealed)
    assert lookup.deliveries({KEY: original.digest})[KEY].done
    assert lookup.receipt("desk", original.receipt) is not None
    assert lookup.receipt("another", original.receipt) is None
    written = passport("nx9r 41-kp2")
    assert lookup.identifiers([written, passport("NX9R41KP3")]) == {written: accepted.identifiers[passport()]}


def test_an_interrupted_intake_is_taken_up_with_the_same_keys(store: KeyStore, sealer: Sealer) -> None:
    subjects = (subject(), subject())
    strong = {passport(): IdentifierId(mint())}
    first = signal(subjects, strong=strong)
    again = signal(subjects, strong=strong, ids=first)
    one = sealer.seal(batch([first], created=subjects, identifiers=strong)).signals[0]
    two = sealer.seal(batch([again], created=subjects, identifiers=strong)).signals[0]
    assert sealer.open_signal(one).mentions[0].names == sealer.open_signal(two).mentions[0].names


def test_who_comes_second_is_told_to_look_again(sealer: Sealer) -> None:
    sealer.seal(one_signal(reference="a"))
    with pytest.raises(Conflict) as raced:
        sealer.seal(one_signal(reference="b"))  # same passport, another id
    assert raced.value.code == "token.raced"
    with pytest.raises(Conflict) as raced:
        sealer.seal(one_signal(reference="a", number="P2"))  # same delivery, another signal
    assert raced.value.code == "token.raced"


def test_nothing_of_a_raced_batch_is_kept(store: KeyStore, sealer: Sealer) -> None:
    sealer.seal(one_signal(reference="a"))
    late = one_signal(reference="b")
    with pytest.raises(Conflict):
        sealer.seal(late)
    key = DeliveryKey(contributor="desk", reference="b")
    assert Lookup(store).deliveries({key: b""}) == {}
    assert store.value_keys([late.created[0].id], "subject") == {}  # type: ignore[arg-type]


def test_a_token_whose_identifier_is_gone_can_be_replaced(store: KeyStore, sealer: Sealer) -> None:
    """C18: a value that is gone blocks nothing."""
    old = one_signal(reference="a")
    sealer.seal(old)
    fresh = {passport(): IdentifierId(mint())}
    made = subject()
    accepted = batch(
        [signal([made], reference="b", strong=fresh)], created=[made], identifiers=fresh, replaced=old.identifiers
    )
    sealer.seal(accepted)
    assert Lookup(store).identifiers([passport()]) == fresh


def test_a_known_subject_without_a_key_is_never_given_a_new_one(sealer: Sealer) -> None:
    stranger = subject(revision=4)
    with pytest.raises(Tampered):
        sealer.seal(batch([signal([stranger])], moved=[stranger]))


def test_facts_put_back_get_no_new_mac(sealer: Sealer) -> None:
    known = subject()
    sealer.settle(sealer.seal(batch([signal([known], reference="a")], created=[known])))
    restricted = replace(known, revision=2, restricted=True)
    sealer.settle(sealer.seal(batch([signal([restricted], reference="b")], moved=[restricted])))
    put_back = replace(known, revision=2)
    with pytest.raises(Conflict):
        sealer.seal(batch([signal([put_back], reference="c")], moved=[put_back]))


def test_facts_changed_or_of_an_older_revision_do_not_pass(sealer: Sealer) -> None:
    known, other = subject(), subject()
    sealed = sealer.seal(batch([signal([known, other])], created=[known, other]))
    sealer.settle(sealed)
    old = sealed.created[0]
    link = sealed.signals[0].links[0]
    sealer.check([old, link])
    with pytest.raises(Tampered):
        sealer.check([replace(old, facts=replace(old.facts, remove_by=old.facts.remove_by.replace(year=2041)))])
    with pytest.raises(Tampered):
        sealer.check([replace(link, facts=replace(link.facts, to=known.id))])
    sealer.remember([(known.id, 2)])
    assert sealer.behind([(known.id, 1), ("0" * 32, 1)]) == (known.id,)
    with pytest.raises(Unavailable):
        sealer.check([old])
    sealer.remember([(known.id, 1)])
    assert sealer.behind([(known.id, 1)]) == (known.id,)


def test_a_signal_put_back_to_an_older_revision_does_not_open(sealer: Sealer) -> None:
    (sealed,) = sealer.seal(one_signal()).signals
    newer = replace(sealed, facts=replace(sealed.facts, revision=2))
    newer = replace(newer, mac=sealer.mac(newer.facts))
    assert sealer.open_signal(newer).facts.revision == 2  # higher: accepted and remembered
    with pytest.raises(Tampered):
        sealer.open_signal(sealed)


@pytest.mark.parametrize("field", MENTION_FIELDS)
def test_a_mention_field_of_another_mention_does_not_open(sealer: Sealer, field: str) -> None:
    subjects = (subject(), subject())
    one, two = sealer.seal(
        batch([signal(subjects, reference="a"), signal(subjects, reference="b")], created=subjects)
    ).signals
    mine, other = one.mentions[0], two.mentions[0]
    assert mine.facts.subject == other.facts.subject
    with pytest.raises(Tampered):
        sealer.open_mentions([replace(mine, sealed={**mine.sealed, field: other.sealed[field]})])


def test_a_mention_or_link_of_another_signal_is_found_out(sealer: Sealer) -> None:
    one, two = sealer.seal(
        batch([signal([a := subject()], reference="a"), signal([a], reference="b")], created=[a])
    ).signals
    with pytest.raises(Tampered):
        sealer.open_signal(replace(one, mentions=two.mentions))


def test_hidden_mentions_may_be_left_out(sealer: Sealer) -> None:
    (sealed,) = sealer.seal(one_signal()).signals
    assert len(sealer.open_signal(replace(sealed, mentions=sealed.mentions[:1], links=())).mentions) == 1


def test_what_is_no_sealed_value_is_tampered(sealer: Sealer) -> None:
    (sealed,) = sealer.seal(one_signal()).signals
    for blob in (b"", b"\xa1", bytes(36), b"\xa1\x02" + sealed.sealed["narrative"].blob[2:]):
        with pytest.raises(Tampered):
            sealer.open_signal(replace(sealed, sealed={**sealed.sealed, "narrative": Sealed(blob)}))
