"""Keys of records renewed: all is sealed anew under a key that is durable first; the former ends at its own day."""

import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import graph.decisions
from api.keys import replaced, status
from api.settings import Settings
from api.wiring import Workplace, workplace
from graph.connection import Graph
from register.errors import NotFound, RegisterError, Tampered
from register.ids import RunId, mint
from register.sealed import SealedSignal
from register.signals import NewSource
from tests.journeys.census import sealed_signals, texts
from tests.journeys.installation import Installation
from tests.journeys.test_backlog import DESK, nobody, opened_on
from tests.journeys.test_enquiry import TODAY, cast, tie
from tests.journeys.test_restore import keys_of, lose_graph
from vault.formats import value_context, value_tail
from vault.keystore.backups import Backups
from vault.keystore.leases import Keeper
from vault.keystore.rows import KeyKind
from vault.renewing import Renewing
from vault.sealing import SOURCE_FIELD, matching, tails_of

REASON = "Somebody may have read the memory of the host."
ONE, OTHER, FIRM = cast("w", "Wilhelmina Kwartelkoning", "Ysbrand Boerenzwaluw", "Wilgen Overslag B.V.")


@pytest.fixture
def filled(register: Installation, tmp_path: Path) -> Installation:
    """A register with two signals about one person, and one that names nobody."""
    with workplace(register.settings, "test") as opened:
        told = tie("r-1", ONE, OTHER)
        source = NewSource(origin=told.source.origin, obtained="Told.", description="A neighbour of hers.")
        opened.intake.record(DESK, replace(told, source=source))
        opened.intake.record(DESK, tie("r-2", ONE, FIRM))
        opened.intake.record(DESK, nobody("r-3", days=10))
    (tmp_path / "reason").write_text(REASON)
    return register


def about(signals: Iterable[SealedSignal]) -> str:
    """The one subject that two signals name."""
    named = [one.facts.subject for each in signals for one in each.mentions]
    return next(one for one in named if named.count(one) == 2)


def by_reference(opened: Workplace) -> dict[str, SealedSignal]:
    return {opened.sealer.open_signal(one).reference: one for one in sealed_signals(opened.graph)}


def opens(opened: Workplace, one: SealedSignal) -> dict[str, bool]:
    """Which values of a signal as it was read once, in an old copy perhaps, the keys of now still open."""
    rings = opened.store.value_keys(
        [one.facts.id, *(each.facts.subject for each in one.mentions)],
        KeyKind.SIGNAL,
        KeyKind.SOURCE,
        KeyKind.SUBJECT,
    )
    own = value_context(opened.store.register, one.facts.id)
    found: dict[str, bool] = {}
    for name, value in one.sealed.items():
        kind = KeyKind.SOURCE if name == SOURCE_FIELD else KeyKind.SIGNAL
        found[name] = opening(
            lambda kind=kind, value=value, name=name: matching(rings, kind, one.facts.id, value).open(
                own, tails_of(one.facts.content)[name], value.blob
            )
        )
    for each in one.mentions:
        context = value_context(opened.store.register, each.facts.id)
        for name, value in each.sealed.items():
            found[f"{each.facts.subject}.{name}"] = opening(
                lambda each=each, value=value, name=name, context=context: matching(
                    rings, KeyKind.SUBJECT, each.facts.subject, value
                ).open(context, value_tail(name, 1), value.blob)
            )
    return found


def opening(opened: Callable[[], bytes]) -> bool:
    try:
        return bool(opened())
    except Tampered:
        return False


def versions(graph: Graph, record: str) -> set[int]:
    """The versions of keys under which something of a record is sealed, as the values themselves say."""
    found: set[int] = set()
    for one in sealed_signals(graph):
        if one.facts.id == record:
            found.update(int.from_bytes(value.blob[2:4], "big") for value in one.sealed.values())
        for each in one.mentions:
            if each.facts.subject == record:
                found.update(int.from_bytes(value.blob[2:4], "big") for value in each.sealed.values())
    return found


def purged(opened: Workplace, days: int = 0) -> None:
    """A purge that drops nothing but what has come to its day, `days` from now; the keys are to be opened anew."""
    now = opened.clock.now() + timedelta(days=days)
    lease = Keeper(opened.store.database).take("test", now=now, seconds=60)
    assert lease is not None
    replaced(opened.store, RunId(mint()), fence=lease.fence, now=now, resend_days=90)
    Keeper(opened.store.database).give_back(lease)


def test_a_record_is_sealed_anew_and_its_former_key_goes_with_the_next_purge(
    filled: Installation, graph: Graph, tmp_path: Path
) -> None:
    """A key is replaced, whole records at a time; without backups the former one ends at once."""
    with workplace(filled.settings, "test") as opened:
        before = by_reference(opened)
        said = {name: texts(opened, one) for name, one in before.items()}
    person, paid = about(before.values()), before["r-1"].facts
    answer = filled.json("keys", "renew", person, paid.id, "--reason-file", str(tmp_path / "reason"))
    assert {one["record"]: (one["values"], one["until"]) for one in answer["renewed"]} == {
        person: (6, str(TODAY)),
        paid.id: (len(before["r-1"].sealed), str(TODAY)),
    }
    assert versions(graph, person) == versions(graph, paid.id) == {2}
    with workplace(filled.settings, "test") as opened:
        after = by_reference(opened)
        assert {name: texts(opened, one) for name, one in after.items()} == said
        assert after["r-1"].facts.content == paid.content + 1
        assert all(opens(opened, before["r-1"]).values())  # the former versions still open an old copy
        purged(opened)
    with workplace(filled.settings, "test") as opened:
        assert {name: texts(opened, one) for name, one in by_reference(opened).items()} == said
        old = opens(opened, before["r-1"])
        other = next(one.facts.subject for one in before["r-1"].mentions if one.facts.subject != person)
        assert {name for name, opened_ in old.items() if opened_} == {
            f"{other}.{name}" for name in ("names", "details", "labels")
        }
        assert all(opens(opened, before["r-3"]).values())
        (told,) = opened.graph.read(
            lambda tx: tx.run(
                "MATCH (e:Entry) WHERE e.body CONTAINS 'keys.renewed' AND e.body CONTAINS $id RETURN e.body", id=person
            ).value()
        )
        assert REASON not in told
        dossiers = opened.graph.read(
            lambda tx: tx.run("MATCH (d:Dossier {kind: 'key-renewal'}) RETURN d.id ORDER BY d.id").value()
        )
        assert len(dossiers) == 2
        found = opened.offices.deciding.store.dossier(dossiers[0])
        assert found is not None
        assert opened.offices.deciding.sealing.open(found) == {"reason": REASON}
    assert filled.json("keys", "check")["hits"] == []
    assert filled.json("keys", "status")["renewals"] == 0


def test_while_a_backup_lives_the_former_key_decrypts_and_no_longer(filled: Installation, graph: Graph) -> None:
    with workplace(filled.settings, "test") as opened:
        before = by_reference(opened)
        day = TODAY + timedelta(days=35)
        Backups(opened.store.database).note("0" * 32, TODAY + timedelta(days=3))
        Backups(opened.store.database).note("1" * 32, day)
        (done,) = opened.offices.renewal.renew([before["r-1"].facts.id], REASON)
        assert done.until == day
        purged(opened, days=34)
    with workplace(filled.settings, "test") as opened:
        assert all(opens(opened, before["r-1"]).values())
        purged(opened, days=35)
    with workplace(filled.settings, "test") as opened:
        assert not any(opens(opened, before["r-1"])[name] for name in before["r-1"].sealed)
        assert texts(opened, by_reference(opened)["r-1"])["source_description"] == "A neighbour of hers."


def test_what_is_unknown_or_has_ended_is_not_found_and_nothing_is_done(filled: Installation) -> None:
    with workplace(filled.settings, "test") as opened:
        before = by_reference(opened)
        person = about(before.values())
        for wanted in (["f" * 32], [before["r-1"].facts.id, "f" * 32]):
            with pytest.raises(NotFound):
                opened.offices.renewal.renew(wanted, REASON)
        with pytest.raises(RegisterError, match=r"id\.form.*|/reason"):
            opened.offices.renewal.renew(["no id"], "")
        assert before == by_reference(opened)
    with opened_on(filled, TODAY + timedelta(days=6 * 366)) as opened:
        for wanted in (person, before["r-1"].facts.id, before["r-3"].facts.id):
            with pytest.raises(NotFound):
                opened.offices.renewal.renew([wanted], REASON)
    assert status(filled.settings)["renewals"] == 0


def dying(settings: Settings, record: str, point: str) -> None:
    """Renew a key in a process that dies at a point."""

    def die(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    class Dying(Renewing):
        def subject(self, *arguments: Any) -> Any:
            return self._begun(super().subject(*arguments))

        def signal(self, one: SealedSignal) -> Any:
            return self._begun(super().signal(one))

        def settle(self, *arguments: Any) -> Any:
            if point == "written":
                die()
            until = super().settle(*arguments)
            die()
            return until

        def _begun(self, anew: Any) -> Any:
            if point == "begun":
                die()
            return anew

    if point == "writing":
        graph.decisions.write_entries = die  # everything is written, and not yet committed
    with workplace(settings, "test") as opened:
        renewal = opened.offices.renewal
        replace(renewal, keys=Dying(opened.store, opened.sealer)).renew([record], REASON)


@pytest.mark.parametrize("point", ["begun", "writing", "written", "settled"])
def test_killed_anywhere_it_is_ended_by_the_next(filled: Installation, graph: Graph, point: str) -> None:
    """Between any two steps everything opens, and the next call ends it under the same key."""
    with workplace(filled.settings, "test") as opened:
        said = {name: texts(opened, one) for name, one in by_reference(opened).items()}
        before = by_reference(opened)
    records = (about(before.values()), before["r-1"].facts.id)
    for record in records:
        child = get_context("forkserver").Process(target=dying, args=(filled.settings, record, point))
        child.start()
        child.join(120)
        assert child.exitcode == -signal.SIGKILL
    assert status(filled.settings)["renewals"] == (0 if point == "settled" else 2)
    with workplace(filled.settings, "test") as opened:
        assert {name: texts(opened, one) for name, one in by_reference(opened).items()} == said
        purged(opened)  # a purge between does no harm: nothing that is in use goes
    with workplace(filled.settings, "test") as opened:
        assert {name: texts(opened, one) for name, one in by_reference(opened).items()} == said
        if point == "begun":
            opened.offices.renewal.renew([records[0]], REASON)
        done = opened.offices.renewal.finish()
        assert len(done) == {"begun": 1, "settled": 0}.get(point, 2)
        assert {name: texts(opened, one) for name, one in by_reference(opened).items()} == said
        purged(opened)
    assert versions(graph, records[0]) == versions(graph, records[1]) == {2}
    with workplace(filled.settings, "test") as opened:
        assert {name: texts(opened, one) for name, one in by_reference(opened).items()} == said
        rings = opened.store.value_keys(records, KeyKind.SUBJECT, KeyKind.SIGNAL, KeyKind.SOURCE)
        assert [len(ring) for ring in rings.values()] == [1, 1, 1]


def test_what_comes_in_meanwhile_is_sealed_anew_too(filled: Installation, graph: Graph) -> None:
    """An intake that sealed under the former key and commits first moves the subject: it is read and sealed again."""
    with workplace(filled.settings, "test") as opened:
        person = about(by_reference(opened).values())
        late = iter([tie("r-4", ONE, OTHER)])

        class Slow(Renewing):
            def subject(self, *arguments: Any) -> Any:
                anew = super().subject(*arguments)
                for one in late:
                    opened.intake.record(DESK, one)
                return anew

        renewal = replace(opened.offices.renewal, keys=Slow(opened.store, opened.sealer))
        (done,) = renewal.renew([person], REASON)
        assert done.values == 9
        assert versions(graph, person) == {2}
        assert len(set(chain.from_iterable(texts(opened, one) for one in by_reference(opened).values()))) >= 4


def test_a_restored_copy_is_sealed_anew_before_it_serves(filled: Installation, graph: Graph, tmp_path: Path) -> None:
    """An old graph is under the former key, which would go one day: bringing it up to date renews it again."""
    with filled.serving(keeper=False):
        for code in ("chris", "cora"):
            filled.enrol(code, "compliance-officer")
    made = filled.json("backup", "create", "--to", str(tmp_path / "backups"))
    with workplace(filled.settings, "test") as opened:
        before = by_reference(opened)
        said = {name: texts(opened, one) for name, one in before.items()}
        person = about(before.values())
        opened.offices.renewal.renew([person, before["r-1"].facts.id], REASON)
        day = Backups(opened.store.database).all()[made["backup"]]
    lose_graph(graph)
    filled.json("backup", "restore", made["folder"])
    assert status(filled.settings)["renewals"] == 2
    assert versions(graph, person) == {1}
    replay = filled.json("backup", "replay", *keys_of(filled, tmp_path, "chris", "cora"))
    assert replay["state"] in ("certified", "nothing-due")
    assert status(filled.settings)["renewals"] == 0
    assert versions(graph, person) == versions(graph, before["r-1"].facts.id) == {2}
    with workplace(filled.settings, "test") as opened:
        purged(opened, days=(day - TODAY).days)
    with workplace(filled.settings, "test") as opened:
        assert {name: texts(opened, one) for name, one in by_reference(opened).items()} == said
