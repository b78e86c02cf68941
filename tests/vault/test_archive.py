"""The closed archive: its format, what a record keeps, its files, its keys, and the custodian."""

import json
import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.errors import Conflict, Invalid, NotFound, Refused, Tampered, Unavailable
from register.ids import ArchiveId, RegisterId, RunId, SignalId, mint
from register.runs import Archived, ToArchive
from register.sealed import Sealed, SealedSignal
from tests.vault import reference
from tests.vault.builders import batch, one_signal, signal
from tests.vault.test_formats import KEYS, vectors
from vault.archive.archivist import Archivist
from vault.archive.custodian import Custodian, CustodianAct, Keys, OpeningGround, lines_of, log_of
from vault.archive.files import ArchiveFiles, Laying
from vault.archive.keys import MONTHS_MADE, read_keys
from vault.archive.record import PrivateHalf, month_named
from vault.keystore.store import KeyStore
from vault.sealing import Sealer

REGISTER, ARCHIVE = RegisterId("00112233445566778899aabbccddeeff"), ArchiveId("5f1c8a3e9d2b47060718293a4b5c6d7e")
DAY, NOW = date(2026, 11, 24), datetime(2026, 11, 24, 22, 30, tzinfo=UTC)
MONTH = "2031-11"
PASSPHRASE = "a long enough passphrase"


# The format.


@pytest.mark.parametrize("case", vectors("archived-record-v1.json", "good"))
def test_archived_records_open(case: dict[str, Any]) -> None:
    half = PrivateHalf(case["month"], bytes.fromhex(case["private"]))
    record, content = bytes.fromhex(case["record"]), bytes.fromhex(case["content"])
    assert half.open(case["register"], case["archive"], record) == content
    assert month_named(record) == case["month"]
    keys = (bytes.fromhex(case["private"]), bytes.fromhex(case["ephemeral"]))
    assert reference.archived_record(*keys, case["register"], case["archive"], case["month"], content) == record


@pytest.mark.parametrize("case", vectors("archived-record-v1.json", "bad"))
def test_bad_archived_records_do_not_open(case: dict[str, Any]) -> None:
    half = PrivateHalf(case["month"], bytes.fromhex(case["private"]))
    with pytest.raises(Tampered) as caught:
        half.open(case["register"], case["archive"], bytes.fromhex(case["record"]))
    assert str(caught.value) == str(Tampered())


@given(private=KEYS, content=st.binary(max_size=600))
def test_what_is_sealed_to_a_month_opens_with_its_private_half_only(private: bytes, content: bytes) -> None:
    half = PrivateHalf(MONTH, private)
    record = half.public.seal(REGISTER, ARCHIVE, content)
    assert half.open(REGISTER, ARCHIVE, record) == content
    assert half.public.seal(REGISTER, ARCHIVE, content) != record
    with pytest.raises(Tampered):
        PrivateHalf.draw(MONTH).open(REGISTER, ARCHIVE, record)


def test_a_private_half_shows_nothing_of_itself() -> None:
    half = PrivateHalf.draw(MONTH)
    assert repr(half) == "<PrivateHalf>"
    with pytest.raises(TypeError):
        half.__reduce_ex__(2)


# What a record keeps.


class Kept:
    """An archive with keys, and what opens it."""

    def __init__(self, store: KeyStore, sealer: Sealer, folder: Path) -> None:
        self.keys = Keys.draw(store.register)
        self.keys.extend(DAY)
        self.archivist = Archivist(store, sealer, folder)
        self.archivist.write_keys(self.keys.public(1))

    def put(self, signals: Iterable[SealedSignal], *items: ToArchive, run: str = "ab" * 16) -> tuple[Archived, ...]:
        return self.archivist.put(RunId(run), items, signals)

    def opened(self, one: Archived) -> dict[str, Any]:
        record = self.archivist.files_held.read((one.month, one.archive))
        content: dict[str, Any] = json.loads(self.keys.open(one.archive, record))
        return content


@pytest.fixture
def kept(store: KeyStore, sealer: Sealer, tmp_path: Path) -> Kept:
    return Kept(store, sealer, tmp_path / "archive")


def to_archive(item: str, **changes: Any) -> ToArchive:
    values: dict[str, Any] = {"kind": "subject", "facts": None, "month": MONTH, "removed_on": DAY, "rule": "theme.x"}
    return ToArchive(item=item, **{**values, **changes})


def test_a_record_keeps_its_subject_and_nobody_else(kept: Kept, sealer: Sealer) -> None:
    accepted = one_signal()
    sealed = sealer.seal(accepted)
    one, other = sealed.created
    (archived,) = kept.put(sealed.signals, to_archive(one.facts.id, facts=one.facts))
    record = kept.opened(archived)
    assert (record["id"], record["kind"], record["removed_on"]) == (one.facts.id, "subject", "2026-11-24")
    assert record["facts"]["remove_by"] == one.facts.remove_by.isoformat()
    (about,) = record["signals"]
    assert about["texts"]["narrative"] == "An envelope was handed to Terhorst-Vermeer behind the customs shed."
    assert about["texts"]["source_description"] == "A crane driver of the second shift."
    assert about["mention"]["names"] == ["Adriaan Terhorst-Vermeer", "A. Terhorst"]
    assert about["mention"]["position"] == "Chief of the quay of […]."
    assert ["passport", "NX9R41KP2"] in about["mention"]["identifiers"]
    assert [(link["from_"], link["to"]) for link in about["links"]] == [("subject", "[…]")]
    assert (about["others"], about["verifies"], about["unreadable"]) == (1, True, [])
    text = json.dumps(record)
    signal_facts = sealed.signals[0].facts
    of_others = [mention.facts.id for mention in sealed.signals[0].mentions if mention.facts.subject == other.facts.id]
    assert not any(item in text for item in (other.facts.id, *of_others, *signal_facts.links))


def test_two_who_go_together_have_a_record_each_with_the_other_as_a_placeholder(kept: Kept, sealer: Sealer) -> None:
    sealed = sealer.seal(one_signal())
    archived = kept.put(sealed.signals, *(to_archive(one.facts.id, facts=one.facts) for one in sealed.created))
    narratives = [kept.opened(one)["signals"][0]["texts"]["narrative"] for one in archived]
    assert narratives == [
        "An envelope was handed to Terhorst-Vermeer behind the customs shed.",
        "An envelope was handed to […] behind the customs shed.",
    ]


def test_a_signal_that_names_nobody_is_a_record_of_its_own(kept: Kept, sealer: Sealer) -> None:
    sealed = sealer.seal(batch([signal((), narrative=("Talk of money at the terminal.",))]))
    (one,) = sealed.signals
    (archived,) = kept.put(sealed.signals, to_archive(one.facts.id, kind="signal"))
    (about,) = kept.opened(archived)["signals"]
    assert about["texts"]["narrative"] == "Talk of money at the terminal."
    assert about["reference"] == "ref-1"
    assert about["mention"] is None


def test_what_is_known_of_a_hub_lies_in_several_records(
    kept: Kept, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded by what one record holds, and by what is gathered of all together."""
    sealed = sealer.seal(one_signal())
    hub, other = sealed.created
    signals = [
        replace(sealed.signals[0], facts=replace(sealed.signals[0].facts, id=SignalId(mint()))) for _ in range(9)
    ]
    size = 2 * len(json.dumps(kept.opened(kept.put(sealed.signals, to_archive(hub.facts.id))[0])["signals"][0]))
    for largest, at_once, most in ((size, 1 << 30, 4), (1 << 30, 3 * size, 6)):
        monkeypatch.setattr("vault.archive.parts.LARGEST", largest)
        monkeypatch.setattr("vault.archive.parts.AT_ONCE", at_once)
        put = kept.put(iter(signals), to_archive(hub.facts.id), to_archive(other.facts.id), run=mint())
        for item in (hub.facts.id, other.facts.id):
            parts = [kept.opened(each) for each in put if each.item == item]
            told = [(part["id"], part["part"], part["last"]) for part in parts]
            assert told == [(item, number, number == len(parts)) for number in range(1, len(parts) + 1)]
            assert len(parts) > 1
            assert all(len(part["signals"]) <= most for part in parts)
            assert [each["id"] for part in parts for each in part["signals"]] == [each.facts.id for each in signals]


def test_what_does_not_open_is_archived_as_unreadable(kept: Kept, sealer: Sealer) -> None:
    sealed = sealer.seal(one_signal())
    (one,), subjects = sealed.signals, sealed.created
    mentions = tuple(replace(mention, sealed={**mention.sealed, "names": Sealed(b"x")}) for mention in one.mentions)
    damaged = replace(one, mac=b"", sealed={**one.sealed, "narrative": Sealed(b"x")}, mentions=mentions)
    (archived,) = kept.put([damaged], to_archive(subjects[0].facts.id))
    (about,) = kept.opened(archived)["signals"]
    assert about["unreadable"] == ["mention", "narrative"]
    assert about["verifies"] is False
    assert about["texts"]["necessity"] == "Insight into bribery at the terminal."


def test_without_a_key_of_its_month_nothing_is_archived(kept: Kept, sealer: Sealer) -> None:
    sealed = sealer.seal(one_signal())
    with pytest.raises(Unavailable, match="no key of that month"):
        kept.put(sealed.signals, to_archive(sealed.created[0].facts.id, month="2041-01"))
    assert list(kept.archivist.files_held.present()) == []


# Its keys.


def test_keys_reach_a_hundred_and_twenty_months_ahead(kept: Kept) -> None:
    keys = kept.archivist.keys
    assert keys is not None
    assert (len(keys.months), keys.ahead(DAY), keys.ahead(date(2031, 11, 24))) == (MONTHS_MADE, 120, 60)
    assert (min(keys.months), max(keys.months)) == ("2026-11", "2036-10")
    assert keys.ahead(date(2036, 11, 1)) == 0


def test_keys_that_somebody_else_put_there_are_found_out(
    kept: Kept, store: KeyStore, sealer: Sealer, tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    first = (folder / "keys.json").read_bytes()
    others = Keys.draw(store.register)
    others.extend(DAY)
    others.public(2).write(folder, lambda facts: bytes(32))
    with pytest.raises(Tampered, match="public keys"):
        Archivist(store, sealer, folder).keys  # noqa: B018
    kept.keys.extend(date(2027, 11, 24))
    kept.archivist.write_keys(kept.keys.public(2))
    assert len(Archivist(store, sealer, folder).months) == MONTHS_MADE + 12
    (folder / "keys.json").write_bytes(first)
    with pytest.raises(Tampered, match="public keys"):
        Archivist(store, sealer, folder).keys  # noqa: B018
    (folder / "keys.json").write_bytes(b"{}")
    with pytest.raises(Tampered, match="public keys"):
        read_keys(folder)


# Its files.

RUN = RunId("cd" * 16)
PLACES = [(MONTH, ArchiveId(mint())) for _ in range(3)]


def test_a_file_without_a_stub_is_deleted_and_no_other(tmp_path: Path) -> None:
    files = ArchiveFiles(tmp_path)
    files.lay_down(RUN, [Laying(PLACES[0], b"first")])
    files.settle(RUN, {PLACES[0][1]})
    files.lay_down(RUN, [Laying(place, b"next") for place in PLACES[1:]])
    assert files.settle(RUN, {PLACES[1][1]}) == 1
    assert set(files.present()) == set(PLACES[:2])
    assert files.settle(RUN, ()) == 0
    assert set(files.present()) == set(PLACES[:2])
    assert files.settle(RunId("ef" * 16), ()) == 0


def test_until_it_is_settled_for_the_last_time_a_run_knows_what_its_files_are_about(tmp_path: Path) -> None:
    files = ArchiveFiles(tmp_path)
    items = ["11" * 16, "22" * 16]
    files.lay_down(RUN, [Laying(PLACES[0], b"a try that was given up", items[0])])
    other = ArchiveId(mint())
    files.lay_down(RUN, [Laying((MONTH, other), b"x", items[0]), Laying(PLACES[1], b"y", items[1])])
    assert files.laid(RUN, items) == {}
    for _ in range(2):  # a process may die again
        files.settle(RUN, {other}, last=False)
        assert files.laid(RUN, [*items, "33" * 16]) == {items[0]: other}
    assert not [one for one in tmp_path.rglob("*") if one.is_file() and items[0].encode() in one.read_bytes()]
    files.settle(RUN, {other})
    assert files.laid(RUN, items) == {}
    assert [*files.present(), *(tmp_path / "pending").iterdir()] == [(MONTH, other)]


def test_a_file_is_never_written_twice(tmp_path: Path) -> None:
    """R18: held or not, what is archived is not written anew."""
    files = ArchiveFiles(tmp_path)
    files.lay_down(RUN, [Laying(PLACES[0], b"first")])
    with pytest.raises(FileExistsError):
        files.lay_down(RUN, [Laying(PLACES[0], b"other")])
    assert files.read(PLACES[0]) == b"first"


def test_whatever_was_staged_when_a_process_died_is_settled(tmp_path: Path) -> None:
    whole = ArchiveFiles(tmp_path / "whole")
    whole.lay_down(RUN, [Laying(place, b"x") for place in PLACES])
    (staging,) = (tmp_path / "whole" / "pending" / RUN).iterdir()
    steps = [*(place[1] for place in PLACES), "list"]
    for died in range(len(steps) + 1):  # after so many files were staged; none was moved yet
        files = ArchiveFiles(tmp_path / str(died))
        place = tmp_path / str(died) / "pending" / RUN / staging.name
        place.mkdir(parents=True)
        for name in steps[:died]:
            (place / name).write_bytes((staging / name).read_bytes())
        assert files.settle(RUN, ()) == 0
        assert [*files.present(), *(tmp_path / str(died) / "pending").iterdir()] == []


def test_a_process_that_slept_while_its_run_was_settled_moves_nothing_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ArchiveFiles(tmp_path)

    original = os.link

    def slow(*args: Any) -> None:
        files.settle(RUN, ())
        original(*args)

    monkeypatch.setattr("os.link", slow)
    with pytest.raises(FileNotFoundError):
        files.lay_down(RUN, [Laying(place, b"x") for place in PLACES])
    assert list(files.present()) == []


def test_a_destroyed_file_is_gone_and_destroying_it_again_is_harmless(tmp_path: Path) -> None:
    """R21: not from the archive's folder."""
    files = ArchiveFiles(tmp_path)
    files.lay_down(RUN, [Laying(place, b"x") for place in PLACES])
    assert files.destroy(PLACES[:2]) == 2
    assert files.destroy(PLACES[:2]) == 0
    assert list(files.present()) == [PLACES[2]]
    assert files.digest(PLACES[0]) is None


# The custodian.


@pytest.fixture
def custodian(tmp_path: Path) -> Custodian:
    keys = Keys.draw(REGISTER)
    keys.extend(DAY)
    path = tmp_path / "custodian.json"
    Custodian.create(path, keys, PASSPHRASE)
    assert path.stat().st_mode & 0o077 == 0
    return Custodian(path, PASSPHRASE)


def test_the_custodians_file_opens_with_its_passphrase_only(custodian: Custodian, tmp_path: Path) -> None:
    path = tmp_path / "custodian.json"
    record = custodian.keys.months[MONTH].public.seal(REGISTER, ARCHIVE, b"content")
    assert Custodian(path, PASSPHRASE).keys.open(ARCHIVE, record) == b"content"
    with pytest.raises(Refused, match="passphrase"):
        Custodian(path, PASSPHRASE + ".")
    content = path.read_bytes()
    path.write_bytes(content.replace(REGISTER.encode(), b"f" * 32))
    with pytest.raises(Refused, match="passphrase"):
        Custodian(path, PASSPHRASE)
    with pytest.raises(Conflict):
        Custodian.create(path, custodian.keys, PASSPHRASE)
    with pytest.raises(Invalid, match="at least 12 characters"):
        custodian.keys.seal("too short")


def test_each_opening_is_a_signed_line_that_follows_the_one_before(custodian: Custodian, tmp_path: Path) -> None:
    for number in range(3):
        at = NOW + timedelta(minutes=number)
        custodian.note(CustodianAct.OPEN, at=at, targets=[ARCHIVE], ground=OpeningGround.COMPLAINT, case="K/7")
    content = log_of(tmp_path / "custodian.json").read_bytes()
    lines = list(lines_of(content, REGISTER, custodian.keys.custodian))
    assert [(line.number, line.case, line.targets) for line in lines] == [(n, "K/7", (ARCHIVE,)) for n in (1, 2, 3)]
    texts = content.splitlines(keepends=True)
    for broken in (b"".join(texts[1:]), texts[0] + texts[2], content.replace(b"K/7", b"K/8", 1)):
        with pytest.raises(Tampered):
            list(lines_of(broken, REGISTER, custodian.keys.custodian))
    with pytest.raises(Tampered):
        list(lines_of(content, REGISTER, Keys.draw(REGISTER).custodian))


def test_a_line_that_was_cut_off_is_left_out_and_written_over(custodian: Custodian, tmp_path: Path) -> None:
    path = tmp_path / "custodian.json"
    for _ in range(2):
        custodian.note(CustodianAct.FIND, at=NOW, ground=OpeningGround.ACCOUNTABILITY, case="K/7")
    log_of(path).write_bytes(log_of(path).read_bytes()[:-7])
    again = Custodian(path, PASSPHRASE)
    assert len(again.lines) == 1
    again.note(CustodianAct.FIND, at=NOW, ground=OpeningGround.ACCOUNTABILITY, case="K/8")
    assert [line.case for line in Custodian(path, PASSPHRASE).lines] == ["K/7", "K/8"]


def test_a_destroyed_months_records_open_nowhere_and_a_signed_line_says_so(
    custodian: Custodian, tmp_path: Path
) -> None:
    path = tmp_path / "custodian.json"
    record = custodian.keys.months[MONTH].public.seal(REGISTER, ARCHIVE, b"content")
    custodian.destroy_month(MONTH, at=NOW)
    again = Custodian(path, PASSPHRASE)
    with pytest.raises(NotFound):
        again.keys.open(ARCHIVE, record)
    assert [(line.act, line.month) for line in again.lines] == [(CustodianAct.DESTROY_MONTH, MONTH)]
    with pytest.raises(NotFound):
        again.destroy_month(MONTH, at=NOW)
    # dead between the two: the key is gone, the line is written by the next try
    log_of(path).unlink()
    Custodian(path, PASSPHRASE).destroy_month(MONTH, at=NOW)
    assert [line.month for line in Custodian(path, PASSPHRASE).lines] == [MONTH]
