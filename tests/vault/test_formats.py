"""The stored formats: frozen vectors, a second implementation from the documents, properties."""

import copy
import json
import os
import pickle
import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.decisions import DossierKind, DossierState
from register.dossiers import DossierFacts, HoldFacts
from register.errors import Tampered
from register.grading import (
    Category,
    EvaluationScheme,
    HandlingCode,
    InformationGrade,
    Origin,
    SourceGrade,
    SubjectKind,
)
from register.ids import DossierId, HoldId, IdentifierId, LinkId, MentionId, SignalId, SubjectId
from register.lifetime import HoldGround
from register.links import Basis, LinkKind
from register.sealed import (
    Facts,
    LinkFacts,
    MentionFacts,
    SignalFacts,
    SubjectFacts,
    canonical,
)
from tests.vault import reference
from vault.formats import (
    FACTS_LABEL,
    RootKey,
    Tokens,
    ValueKey,
    bucket,
    digest,
    identifier_value,
    keyed,
    nonce,
    pad,
    unpad,
    value_context,
    value_tail,
)

VECTORS = Path(__file__).parents[1] / "vectors" / "vault"
REGISTER, RECORD = "00112233445566778899aabbccddeeff", "5f1c8a3e9d2b47060718293a4b5c6d7e"
OTHER = "6f1c8a3e9d2b47060718293a4b5c6d7e"
KEYS = st.binary(min_size=32, max_size=32)
IDS = st.binary(min_size=16, max_size=16).map(bytes.hex)


def vectors(name: str, quality: str) -> list[Any]:
    cases = json.loads((VECTORS / name).read_text("utf-8"))[quality]
    return [pytest.param(case, id=f"{place}-{case.get('note', '')}") for place, case in enumerate(cases)]


def open_value(case: dict[str, Any]) -> bytes:
    key = ValueKey(bytes.fromhex(case["key"]), case["version"])
    context = value_context(case["register"], case["record"])
    return key.open(context, value_tail(case["field"], case["content"]), bytes.fromhex(case["sealed"]))


def unwrap(case: dict[str, Any]) -> bytes:
    root = RootKey(bytes.fromhex(case["root"]), case["register"], case["generation"])
    return root.unwrap(case["kind"], case["id"], case["version"], bytes.fromhex(case["wrapped"]))


def mac(case: dict[str, Any]) -> str:
    context = keyed(bytes.fromhex(case["key"]), FACTS_LABEL, case["register"].encode())
    return digest(context, case["facts"].encode()).hex()


def token(case: dict[str, Any]) -> tuple[bytes, str]:
    tokens = Tokens(bytes.fromhex(case["lookup"]), bytes.fromhex(case["deliveries"]), case["register"])
    value = tokens.delivery_value(*case["delivery"]) if "delivery" in case else identifier_value(*case["identifier"])
    return value, tokens.token(value).hex()


@pytest.mark.parametrize("case", vectors("sealed-value-v1.json", "good"))
def test_sealed_values_open(case: dict[str, Any]) -> None:
    blob, plaintext = bytes.fromhex(case["sealed"]), bytes.fromhex(case["plaintext"])
    assert open_value(case) == plaintext
    assert int.from_bytes(blob[2:4], "big") == case["version"]
    key, where = bytes.fromhex(case["key"]), (case["register"], case["record"], case["field"], case["content"])
    assert reference.sealed_value(key, case["version"], blob[8:20], *where, plaintext) == blob


@pytest.mark.parametrize("case", vectors("sealed-value-v1.json", "bad"))
def test_bad_sealed_values_do_not_open(case: dict[str, Any]) -> None:
    with pytest.raises(Tampered) as caught:
        open_value(case)
    assert str(caught.value) == str(Tampered())


def test_the_vectors_stand_on_both_sides_of_every_padding_boundary() -> None:
    sizes = {len(case.values[0]["plaintext"]) // 2 for case in vectors("sealed-value-v1.json", "good")}
    edges = (16, 32, 64, 128, 256, 512, 768)  # the end mark takes one of these bytes
    assert {size for edge in edges for size in (edge - 1, edge)} <= sizes


@pytest.mark.parametrize("case", vectors("wrapped-key-v1.json", "good"))
def test_wrapped_keys_open(case: dict[str, Any]) -> None:
    blob, plaintext = bytes.fromhex(case["wrapped"]), bytes.fromhex(case["plaintext"])
    assert unwrap(case) == plaintext
    root, where = bytes.fromhex(case["root"]), (case["register"], case["kind"], case["id"], case["version"])
    assert reference.wrapped_key(root, case["generation"], blob[6:18], *where, plaintext) == blob


@pytest.mark.parametrize("case", vectors("wrapped-key-v1.json", "bad"))
def test_bad_wrapped_keys_do_not_open(case: dict[str, Any]) -> None:
    with pytest.raises(Tampered) as caught:
        unwrap(case)
    assert str(caught.value) == str(Tampered())


FACTS: tuple[Facts, ...] = (
    SubjectFacts(
        id=SubjectId(RECORD),
        kind=SubjectKind.PERSON,
        revision=3,
        remove_by=date(2031, 11, 24),
        review_by=date(2027, 11, 24),
        hidden_from=date(2027, 12, 24),
        acts=("2026-11-24 2026-11-24 review still-needed 6f1c8a3e9d2b47060718293a4b5c6d7e",),
    ),
    MentionFacts(
        id=MentionId(RECORD),
        signal=SignalId(REGISTER),
        subject=SubjectId("ffeeddccbbaa99887766554433221100"),
        place=0,
        category=Category.INVOLVED,
        identifiers=(IdentifierId(OTHER),),
        handling=HandlingCode.H1,
        markings=("organised-crime",),
    ),
    LinkFacts(
        id=LinkId(RECORD),
        signal=SignalId(REGISTER),
        kind=LinkKind.PAID,
        from_=SubjectId("ffeeddccbbaa99887766554433221100"),
        to="NLRTM",
        to_port=True,
        basis=Basis.FACT,
        until=date(2026, 1, 31),
        handling=HandlingCode.H1,
    ),
    SignalFacts(
        id=SignalId(REGISTER),
        revision=1,
        content=1,
        received_on=date(2026, 11, 20),
        handed_in_on=date(2026, 11, 24),
        entered_at=datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
        contributor="desk",
        origin=Origin.HOTLINE,
        scheme=EvaluationScheme.EU_4X4,
        source_grade=SourceGrade.B,
        information_grade=InformationGrade.TWO,
        handling=HandlingCode.H1,
        mentions=(MentionId(OTHER),),
        links=(LinkId(RECORD),),
        ports=("NLRTM",),
    ),
    DossierFacts(
        id=DossierId(OTHER),
        revision=2,
        kind=DossierKind.EARLY_END,
        code="incorrect",
        on=date(2026, 11, 24),
        by="officer",
        role="privacy-officer",
        case="RR-2026/1",
        targets=(RECORD,),
        state=DossierState.DONE,
        second="colleague",
        settled_on=date(2026, 11, 25),
        keep_until=date(2031, 11, 25),
    ),
    HoldFacts(
        id=HoldId(OTHER),
        revision=1,
        dossier=DossierId(RECORD),
        ground=HoldGround.EVIDENCE,
        from_=date(2026, 11, 24),
        review_on=date(2027, 5, 24),
        on=date(2026, 11, 24),
        by="officer",
        case="RR-2026/2",
        subjects=(RECORD,),
        start=REGISTER,
        depth=2,
    ),
)


def test_facts_macs_are_those_of_the_vectors() -> None:
    cases = [case.values[0] for case in vectors("facts-mac-v1.json", "good")]
    assert len(cases) == len(FACTS)
    for case, facts in zip(cases, FACTS, strict=True):
        assert isinstance(case, dict)
        assert canonical(facts) == case["facts"].encode()
        assert mac(case) == case["mac"]
        key = bytes.fromhex(case["key"])
        assert reference.facts_mac(key, case["register"], case["facts"].encode()).hex() == case["mac"]


@pytest.mark.parametrize("case", vectors("facts-mac-v1.json", "bad"))
def test_bad_facts_macs_differ(case: dict[str, Any]) -> None:
    assert mac(case) != case["mac"]


@pytest.mark.parametrize("case", vectors("lookup-token-v1.json", "good"))
def test_lookup_tokens_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    value, made = token(case)
    assert (value.hex(), made) == (case["value"], case["token"])
    assert reference.token(bytes.fromhex(case["lookup"]), case["register"], value).hex() == made


@pytest.mark.parametrize("case", vectors("lookup-token-v1.json", "bad"))
def test_bad_lookup_tokens_differ(case: dict[str, Any]) -> None:
    assert token(case)[1] != case["token"]


@given(KEYS, st.integers(1, 65535), IDS, IDS, st.text(max_size=20), st.integers(0, 2**32 - 1), st.binary(max_size=700))
def test_what_is_sealed_opens_and_is_what_the_document_says(
    key: bytes, version: int, register: str, record: str, field: str, content: int, data: bytes
) -> None:
    made = ValueKey(key, version)
    context, tail = value_context(register, record), value_tail(field, content)
    blob = made.seal(context, tail, data)
    assert made.open(context, tail, blob) == data
    assert reference.sealed_value(key, version, blob[8:20], register, record, field, content, data) == blob
    assert (len(blob) - 36) in (16, 32, 64, 128) or (len(blob) - 36) % 256 == 0


@given(st.binary(max_size=300), st.data())
def test_a_value_with_any_bit_changed_cut_or_lengthened_does_not_open(data: bytes, draw: st.DataObject) -> None:
    key = ValueKey(bytes(range(32)), 1)
    context, tail = value_context(REGISTER, RECORD), value_tail("narrative", 1)
    blob = key.seal(context, tail, data)
    bit = draw.draw(st.integers(0, len(blob) * 8 - 1))
    flipped = bytearray(blob)
    flipped[bit // 8] ^= 1 << bit % 8
    cut = blob[: draw.draw(st.integers(0, len(blob) - 1))]
    longer = blob + draw.draw(st.binary(min_size=1, max_size=40))
    for wrong in (bytes(flipped), cut, longer):
        with pytest.raises(Tampered):
            key.open(context, tail, wrong)


@given(
    st.sampled_from(["register", "record", "field", "content", "key", "version"]),
    st.binary(max_size=300),
    st.data(),
)
def test_a_value_opens_nowhere_else(changed: str, data: bytes, draw: st.DataObject) -> None:
    place: dict[str, Any] = {
        "register": REGISTER,
        "record": RECORD,
        "field": "narrative",
        "content": 7,
        "key": bytes(range(32)),
        "version": 1,
    }
    other = {
        "register": IDS,
        "record": IDS,
        "field": st.text(max_size=20),
        "content": st.integers(0, 2**32 - 1),
        "key": KEYS,
        "version": st.integers(0, 65535),
    }
    elsewhere = {**place, changed: draw.draw(other[changed].filter(lambda value: value != place[changed]))}

    def use(at: dict[str, Any]) -> tuple[ValueKey, bytes, bytes]:
        context = value_context(at["register"], at["record"])
        return ValueKey(at["key"], at["version"]), context, value_tail(at["field"], at["content"])

    key, context, tail = use(place)
    blob = key.seal(context, tail, data)
    wrong, context, tail = use(elsewhere)
    with pytest.raises(Tampered):
        wrong.open(context, tail, blob)


@given(st.sampled_from(["subject", "signal", "source", "register"]), IDS, st.integers(0, 65535), KEYS, st.data())
def test_a_wrapped_key_opens_in_its_own_row_only(
    kind: str, name: str, version: int, payload: bytes, draw: st.DataObject
) -> None:
    root = RootKey(bytes(range(32)), REGISTER, 4)
    wrapped = root.wrap(kind, name, version, payload)
    assert root.unwrap(kind, name, version, wrapped) == payload
    assert reference.wrapped_key(bytes(range(32)), 4, wrapped[6:18], REGISTER, kind, name, version, payload) == wrapped
    bit = draw.draw(st.integers(0, len(wrapped) * 8 - 1))
    flipped = bytearray(wrapped)
    flipped[bit // 8] ^= 1 << bit % 8
    tries: list[Callable[[], bytes]] = [
        lambda: root.unwrap(kind, name, version, bytes(flipped)),
        lambda: root.unwrap(kind, name, version ^ 1, wrapped),
        lambda: root.unwrap(kind + "s", name, version, wrapped),
        lambda: root.unwrap(kind, name[::-1] if name != name[::-1] else OTHER, version, wrapped),
        lambda: RootKey(bytes(range(32)), OTHER, 4).unwrap(kind, name, version, wrapped),
        lambda: RootKey(bytes(range(32)), REGISTER, 5).unwrap(kind, name, version, wrapped),
        lambda: RootKey(bytes(32), REGISTER, 4).unwrap(kind, name, version, wrapped),
    ]
    for attempt in tries:
        with pytest.raises(Tampered):
            attempt()


@given(st.binary(max_size=2000))
def test_padding_hides_the_length_and_comes_off_again(data: bytes) -> None:
    padded = pad(data)
    assert unpad(padded) == data
    assert padded == reference.padded(data)
    assert len(padded) == bucket(len(data) + 1)


@given(st.binary(max_size=600))
def test_what_was_not_padded_does_not_come_off(data: bytes) -> None:
    try:
        content = unpad(data)
    except Tampered:
        return
    assert pad(content) == data


def test_nonces_never_repeat_not_even_in_a_forked_child() -> None:
    nonce()  # the parent now holds a block
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"".join(nonce() for _ in range(2000)))
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        theirs = pipe.read()
    os.waitpid(child, 0)
    drawn = [theirs[at : at + 12] for at in range(0, len(theirs), 12)] + [nonce() for _ in range(2000)]
    assert len(drawn) == 4000
    assert len(set(drawn)) == 4000


def test_keys_show_nothing_and_cannot_be_pickled_or_copied() -> None:
    raw = bytes(range(32))
    for key in (ValueKey(raw, 1), RootKey(raw, REGISTER, 1), Tokens(raw, raw, REGISTER)):
        assert repr(key) == str(key) == f"<{type(key).__name__}>"
        for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                attempt(key)


def test_a_traceback_with_locals_shows_no_key() -> None:
    raw = bytes(range(32))
    key, root = ValueKey(raw, 1), RootKey(raw, REGISTER, 1)
    context, tail = value_context(REGISTER, RECORD), value_tail("names", 1)
    blob, wrapped = key.seal(context, tail, b"x"), root.wrap("subject", RECORD, 1, raw)
    del raw
    for attempt in (
        lambda: key.open(context, tail, blob[:-1] + bytes([blob[-1] ^ 1])),
        lambda: root.unwrap("signal", RECORD, 1, wrapped),
    ):
        with pytest.raises(Tampered) as caught:
            attempt()
        shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
        assert repr(bytes(range(32)))[2:-1] not in shown
        assert bytes(range(32)).hex() not in shown
