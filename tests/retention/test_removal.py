"""Removal to the closed archive, holds, destruction: worked examples of the law through whole runs; death anywhere."""

import copy
import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from api.exchange.evaluation import answer
from evidence.merkle import ids_root
from evidence.statement import draft
from register.archived import ArchivedFacts
from register.audit import Act
from register.decisions import ActKind, Decision, EndCode, ReviewCode, encode
from register.dossiers import HoldFacts
from register.errors import Unavailable
from register.ids import ArchiveId, DossierId, HoldId, RunId, SignalId, SubjectId
from register.lifetime import HoldGround
from register.runs import Changed, Erased, ErasureBatch, RunState, Skip, SubjectRecord
from register.sealed import SealedHold, SealedStub
from retention.casework import dates_of
from retention.filecheck import NIGHTS, FileCheck
from retention.orders import nightly
from retention.outlook import Outlook
from retention.plan import Reason
from retention.planned import Kind, Wait
from retention.policy import shipped, shipped_every
from tests.fakes import FakeArchive, FakeEvidence, FakeGraph, Fate, Killed
from tests.retention.world import World, hexid

POLICY = shipped("2020-01-01-theme-bribery.toml")
RECEIVED = date(2021, 6, 1)
REMOVED = date(2026, 6, 1)
HOLD = HoldId(hexid("hold", "1"))


class Register(World):
    """A register under the policy with reviews and archive; subjects are reviewed in time unless said otherwise."""

    def __init__(self, **changes: object) -> None:
        super().__init__(policy=replace(POLICY, **changes))  # type: ignore[arg-type]

    def about(self, name: str, subjects: str, received_on: date = RECEIVED, *, reviewed: bool = True) -> None:
        self.signal(name, received_on, subjects)
        for subject in subjects:
            years = range(received_on.year + 1, 2026)
            self.decide(subject, *(_review(date(year, 5, 20)) for year in years if reviewed))

    def decide(self, subject: str, *acts: str) -> None:
        """Write decisions on a subject, dated anew as the use cases do."""
        item = SubjectId(hexid("subject", subject))
        held = self.graph.subjects_held[item].facts
        facts = replace(held, revision=held.revision + 1, acts=(*held.acts, *acts))
        dates = tuple(sorted((one.facts.received_on, one.facts.accepted_on) for one in self.graph.mentioning([item])))
        record = SubjectRecord(subject=replace(self.graph.subjects_held[item], facts=facts), signals=dates)
        last = max([date.fromisoformat(act.split()[1]) for act in facts.acts], default=RECEIVED)
        told = dates_of(self.policy, record, last)
        self.subject(replace(facts, remove_by=told.remove_by, review_by=told.review_by, hidden_from=told.hidden_from))

    def end_signal(self, item: SignalId, act: str) -> None:
        """Write an early end on a signal, as of the day it was decided."""
        held = self.graph.signals_held[item]
        on = date.fromisoformat(act.split()[1])
        facts = replace(held.facts, revision=held.facts.revision + 1, remove_by=on, acts=(act,))
        self.graph.signals_held[item] = replace(held, facts=facts, mac=self.facts.mac(facts))
        self.facts.remember([(item, facts.revision)])

    def hold(self, ground: HoldGround, from_: date, until: date | None, **scope: tuple[str, ...]) -> None:
        facts = HoldFacts(
            id=HOLD,
            revision=1,
            ground=ground,
            from_=from_,
            until=until,
            review_on=from_ + timedelta(days=90),
            on=from_,
            by="officer-1",
            case="K/1",
            dossier=DossierId("5f" * 16),
            **scope,  # type: ignore[arg-type]
        )
        self.graph.holds_held[HOLD] = SealedHold(facts=facts, mac=self.facts.mac(facts))

    def night(self, on: date) -> dict[str, object] | None:
        """Carry out the nightly run of `on`; return what its certificate states, if there is one."""
        before = len(self.evidence.filed)
        self.clock.at = datetime.combine(on, time(1), UTC)
        nightly(self.graph, self.clock)
        self.carry_out()
        for _, body in self.evidence.filed[before:]:
            assert draft(body)
            return dict(body)
        return None

    def stub(self) -> ArchivedFacts:
        (held,) = self.graph.stubs_held.values()
        assert self.facts.verifies(held)
        return held.facts


def _review(on: date) -> str:
    return _act(on, ActKind.REVIEW, ReviewCode.STILL_NEEDED)


def _act(on: date, kind: ActKind, code: str) -> str:
    return encode(Decision(on=on, accepted_on=on, kind=kind, code=code, dossier=DossierId("5f" * 16)))


def test_what_is_due_is_archived_and_five_years_later_destroyed():
    """R23, R33: the stub has an id of its own, dates and codes, and is marked destroyed."""
    world = Register()
    world.about("s1", "B")
    assert world.night(REMOVED - timedelta(days=1)) is None
    removal = world.night(REMOVED)
    assert removal is not None
    stub = world.stub()
    assert (stub.kind, stub.removed_on, stub.destroy_on, stub.month) == (
        "person", REMOVED, date(2031, 6, 2), "2031-06"
    )  # fmt: skip
    assert (stub.event, stub.event_on, stub.rule) == ("signal", RECEIVED, "theme.last-necessity")
    assert world.graph.subjects_held == {} == world.graph.signals_held
    assert hexid("subject", "B") not in repr(world.graph.stubs_held)
    assert {(one["kind"], one["act"]): one["count"] for one in removal["scope"]["counts"]} == {
        ("subject", "removed"): 1,
        ("signal", "removed"): 1,
        ("mention", "removed"): 1,
    }
    assert removal["stubs"] == {"count": 1, "root": ids_root([stub.id]).hex()}
    (copies,) = removal["exceptions"]
    assert (copies["name"], copies["reason"], copies["until"]) == (
        "kept-2031-06", "open-until-month-key-destroyed", "2031-06-02"
    )  # fmt: skip
    assert list(world.archive.records) == [stub.id]
    assert world.night(date(2031, 6, 1)) is None
    destruction = world.night(date(2031, 6, 2))
    assert destruction is not None
    assert world.archive.records == {}
    assert world.stub().destroyed_on == date(2031, 6, 2)
    assert destruction["scope"]["counts"] == [{"kind": "archived-record", "act": "destroyed", "count": 1}]
    assert destruction["scope"]["ids"] == {"count": 1, "root": ids_root([stub.id]).hex()}
    assert destruction["terms"] == [
        {
            "rule": "archive.five-years",
            "act": "destroyed",
            "event": "removal",
            "event_on": "2026-06-01",
            "period": "P5Y",
            "due_on": "2031-06-02",
            "count": 1,
        }
    ]
    checks = {one["check"]: (one["asked"], one["expected"], one["found"]) for one in destruction["readback"]}
    assert checks["destroyed"] == (1, 0, 0)
    assert destruction["exceptions"][0]["name"] == "deleted-2031-06"
    assert world.night(date(2031, 6, 3)) is None
    assert world.plan(date(2031, 6, 3)).findings == ()


def test_w7_a_missed_review_ends_it_ninety_days_later():
    world = Register()
    world.about("s1", "B", reviewed=False)
    assert world.night(date(2022, 8, 29)) is None
    assert world.plan(date(2022, 8, 29)).reviews_due == 1
    removal = world.night(date(2022, 8, 30))
    assert removal is not None
    (term,) = removal["terms"]
    assert (term["event"], term["event_on"], term["period"], term["due_on"]) == (
        "missed-review", "2022-06-01", "P90D", "2022-08-30"
    )  # fmt: skip
    assert world.stub().destroy_on == date(2027, 8, 31)


def test_a_run_for_a_day_before_a_removal_leaves_the_archived_record_and_comes_to_its_end():
    """Such a run sees nothing of what happened later, the removal included, and holds up no run after it."""
    world = Register()
    world.about("s1", "B", reviewed=False)
    assert world.night(date(2022, 8, 30)) is not None
    stub = world.stub()
    world.order(date(2022, 8, 1))
    world.carry_out()
    (earlier, removal) = sorted(world.graph.runs(), key=lambda run: run.as_of)
    assert (earlier.state, removal.state) == (RunState.NOTHING_DUE, RunState.CERTIFIED)
    assert world.stub() == stub
    assert world.plan(date(2022, 8, 1)).findings == ()
    outlook = Outlook(erasure=world.graph, holds=world.graph, check=world.facts, policy=world.policy)
    assert outlook.calendar(date(2022, 8, 1), 4)["unsure"] == 0
    assert world.night(date(2027, 8, 31)) is not None
    assert world.stub().destroyed_on == date(2027, 8, 31)


def test_an_archived_record_that_cannot_be_dated_waits_with_an_alarm_and_holds_up_no_other():
    world = Register()
    world.about("s1", "B")
    assert world.night(REMOVED) is not None
    facts = replace(world.stub(), event="query")  # such an event starts no term
    world.graph.stubs_held[facts.id] = SealedStub(facts=facts, mac=world.facts.mac(facts))
    world.about("s2", "C", date(2021, 7, 1))
    assert world.night(date(2026, 7, 1)) is not None
    assert world.graph.subjects_held == {}
    waiting = world.plan(date(2032, 1, 1)).waiting
    assert [(one.id, one.kind, one.reason) for one in waiting] == [(facts.id, Kind.ARCHIVED, Wait.CANNOT_EVALUATE)]
    assert world.graph.stubs_held[facts.id].facts.destroyed_on is None
    codes = {entry.detail["code"] for entry in world.graph.entries if entry.act is Act.INTEGRITY_INCIDENT}
    assert "no-event" in codes


def test_w9_a_hold_over_by_then_changes_nothing():
    world = Register()
    world.about("s1", "B")
    world.hold(HoldGround.EVIDENCE, date(2026, 5, 1), date(2026, 12, 1), subjects=(hexid("subject", "B"),))
    removal = world.night(REMOVED)
    assert removal is not None
    assert removal["holds"] == [{"ground": "wpg-28-2-b", "considered": 1, "kept": 0}]
    assert (world.stub().destroy_on, world.stub().holds) == (date(2031, 6, 2), (HOLD,))
    assert world.night(date(2031, 6, 2)) is not None


def test_w10_a_hold_on_the_archived_copy_puts_its_destruction_off():
    """R14."""
    world = Register()
    world.about("s1", "B")
    world.night(REMOVED)
    world.hold(HoldGround.EVIDENCE, date(2031, 5, 1), date(2031, 9, 30), archived=(world.stub().id,))
    assert world.night(date(2031, 6, 2)) is None
    plan = world.plan(date(2031, 9, 30))
    assert [(one.kind, one.reason, one.holds) for one in plan.waiting] == [(Kind.ARCHIVED, Wait.HELD, (HOLD,))]
    destruction = world.night(date(2031, 10, 1))
    assert destruction is not None
    assert destruction["terms"][0]["due_on"] == "2031-10-01"


def test_w13_an_early_end_removes_that_day():
    world = Register()
    world.about("s1", "B")
    item = world.graph.subjects_held[SubjectId(hexid("subject", "B"))].facts
    world.subject(replace(item, acts=item.acts[:1]))
    world.decide("B", _act(date(2023, 3, 3), ActKind.NO_LONGER_NECESSARY, EndCode.NO_LONGER_NECESSARY))
    assert world.night(date(2023, 3, 2)) is None
    assert world.night(date(2023, 3, 3)) is not None
    assert world.stub().destroy_on == date(2028, 3, 4)


@pytest.mark.parametrize(
    ("kind", "code"), [(ActKind.FOUND_INCORRECT, EndCode.INCORRECT), (ActKind.FOUND_UNLAWFUL, EndCode.UNLAWFUL)]
)
def test_w18_flawed_data_are_destroyed_at_once_without_an_archive(kind, code):
    world = Register()
    world.about("s1", "B")
    world.decide("B", _act(date(2025, 6, 5), kind, code))
    destruction = world.night(date(2025, 6, 5))
    assert destruction is not None
    assert {one["act"] for one in destruction["scope"]["counts"]} == {"destroyed"}
    assert (world.archive.records, world.graph.stubs_held) == ({}, {})


@pytest.mark.parametrize("subjects", ["", "B"])
@pytest.mark.parametrize(
    ("kind", "code", "act"),
    [
        (ActKind.FOUND_INCORRECT, EndCode.INCORRECT, "destroyed"),
        (ActKind.FOUND_UNLAWFUL, EndCode.UNLAWFUL, "destroyed"),
        (ActKind.NO_LONGER_NECESSARY, EndCode.RECALLED, "removed"),
    ],
)
def test_w18_a_flawed_signal_is_destroyed_at_once_too_and_a_recalled_one_goes_to_the_archive(subjects, kind, code, act):
    world = Register()
    world.about("s1", "B", date(2024, 8, 1))
    world.end_signal(world.signal("s2", date(2025, 3, 1), subjects), _act(date(2025, 6, 5), kind, code))
    certificate = world.night(date(2025, 6, 5))
    assert certificate is not None
    assert {one["act"] for one in certificate["scope"]["counts"] if one["kind"] == "signal"} == {act}
    assert {one.facts.kind for one in world.graph.stubs_held.values()} == ({"signal"} if act == "removed" else set())
    assert (set(world.graph.subjects_held), set(world.graph.signals_held)) == (
        {hexid("subject", "B")},
        {hexid("signal", "s1")},
    )


def ended_with_its_subject(size: int, kind: ActKind, code: EndCode) -> tuple[Register, SignalId, dict[str, Any]]:
    """Return what a night leaves in which B ends, and one of the two signals about B in its own right."""
    world = Register(batch=size)
    world.about("s1", "B", date(2024, 8, 1))
    signal = world.signal("s2", date(2025, 3, 1), "B")
    world.decide("B", _act(date(2025, 6, 5), ActKind.NO_LONGER_NECESSARY, EndCode.NO_LONGER_NECESSARY))
    world.end_signal(signal, _act(date(2025, 6, 5), kind, code))
    certificate = world.night(date(2025, 6, 5))
    assert certificate is not None
    return world, signal, certificate


@pytest.mark.parametrize("size", [1, 200])
def test_w18_a_flawed_signal_is_in_no_record_of_somebody_who_is_archived_that_night(size):
    world, _, certificate = ended_with_its_subject(size, ActKind.FOUND_INCORRECT, EndCode.INCORRECT)
    assert {(one["kind"], one["act"]) for one in certificate["scope"]["counts"]} >= {("signal", "destroyed")}
    ((_, about),) = world.archive.records.values()
    assert [one.facts.id for one in about] == [hexid("signal", "s1")]


@pytest.mark.parametrize("size", [1, 200])
def test_a_signal_that_ends_on_the_day_of_its_subject_has_a_record_of_its_own(size):
    world, recalled, certificate = ended_with_its_subject(size, ActKind.NO_LONGER_NECESSARY, EndCode.RECALLED)
    assert {one.item for one, _ in world.archive.records.values()} == {hexid("subject", "B"), recalled}
    assert certificate["skipped"] == []


def test_w23_an_unlawful_signal_under_a_hold_is_archived_and_destroyed_on_the_first_day_without():
    world = Register()
    signal = world.signal("s1", date(2025, 3, 1))
    world.hold(HoldGround.EVIDENCE, date(2025, 5, 1), date(2025, 8, 31), signals=(signal,))
    world.end_signal(signal, _act(date(2025, 6, 5), ActKind.FOUND_UNLAWFUL, EndCode.UNLAWFUL))
    assert world.night(date(2025, 6, 5)) is not None
    assert (world.stub().removed_on, world.stub().destroy_on) == (date(2025, 6, 5), date(2025, 9, 1))


def test_acts_that_somebody_wrote_on_a_signal_by_hand_destroy_nothing():
    world = Register()
    signal = world.signal("s1", date(2025, 3, 1))
    world.end_signal(signal, _act(date(2025, 6, 5), ActKind.FOUND_INCORRECT, EndCode.INCORRECT))
    world.graph.signals_held[signal] = replace(world.graph.signals_held[signal], mac=bytes(32))
    assert world.night(date(2025, 6, 5)) is not None
    assert {one.facts.kind for one in world.graph.stubs_held.values()} == {"signal"}


def test_w23_unlawful_data_under_a_hold_are_archived_and_destroyed_on_the_first_day_without():
    """R14: a hold keeps even what would be destroyed at once."""
    world = Register()
    world.about("s1", "B")
    world.hold(HoldGround.EVIDENCE, date(2025, 5, 1), date(2025, 8, 31), subjects=(hexid("subject", "B"),))
    world.decide("B", _act(date(2025, 6, 5), ActKind.FOUND_UNLAWFUL, EndCode.UNLAWFUL))
    assert world.night(date(2025, 6, 5)) is not None
    assert (world.stub().removed_on, world.stub().destroy_on) == (date(2025, 6, 5), date(2025, 9, 1))
    assert world.night(date(2025, 8, 31)) is None
    destruction = world.night(date(2025, 9, 1))
    assert destruction is not None
    assert (destruction["terms"][0]["event"], destruction["terms"][0]["rule"]) == ("found-unlawful", "flaw.unlawful")


def test_without_a_key_of_its_month_a_removal_waits_with_an_alarm_and_nothing_is_destroyed():
    """R38."""
    world = Register()
    world.about("s1", "B")
    world.archive.months = frozenset({"2031-05"})
    assert world.night(REMOVED) is None
    assert hexid("subject", "B") in world.graph.subjects_held
    codes = [entry.detail["code"] for entry in world.graph.entries if entry.act is Act.INTEGRITY_INCIDENT]
    assert codes == ["no-archive-key"]
    (told,) = world.orders().runs()
    assert told["state"] == "waiting"
    assert told["waiting"] == [{"kind": "subject", "reason": "no-archive-key", "count": 1}]
    world.archive.months = frozenset({"2031-05", "2031-06"})
    assert world.night(REMOVED + timedelta(days=1)) is not None


def test_a_hold_laid_after_the_plan_stops_a_destruction_in_the_deleting_transaction(monkeypatch):
    """R14."""
    world = Register()
    world.about("s1", "B")
    world.night(REMOVED)
    stub = world.stub()
    world.clock.at = datetime(2031, 6, 2, 1, tzinfo=UTC)
    nightly(world.graph, world.clock)
    erase = FakeGraph.erase

    def laid(graph: FakeGraph, *args: Any, **kwargs: Any) -> object:
        if not world.graph.holds_held:
            world.hold(HoldGround.EVIDENCE, date(2031, 6, 1), None, archived=(stub.id,))
        return erase(graph, *args, **kwargs)

    monkeypatch.setattr(FakeGraph, "erase", laid)
    world.carry_out()
    assert world.stub().destroyed_on is None
    assert list(world.archive.records) == [stub.id]
    (_, body) = world.evidence.filed[-1]
    assert body["skipped"] == [{"kind": "archived-record", "reason": "held", "count": 1}]
    assert body["holds"] == [{"ground": "wpg-28-2-b", "considered": 0, "kept": 1}]


def test_a_hold_that_vanished_is_an_incident_and_no_destruction():
    world = Register()
    world.about("s1", "B")
    world.hold(HoldGround.ARCHIVAL_VALUE, date(2026, 5, 1), date(2040, 1, 1), subjects=(hexid("subject", "B"),))
    world.night(REMOVED)
    del world.graph.holds_held[HOLD]
    plan = world.plan(date(2031, 6, 2))
    assert plan.due == ()
    assert [one.reason for one in plan.findings] == [Reason.HOLD_GONE]
    assert [one.reason for one in plan.waiting] == [Wait.CANNOT_EVALUATE]


def test_a_stub_that_was_changed_is_an_incident_and_no_destruction():
    world = Register()
    world.about("s1", "B")
    world.night(REMOVED)
    (stub,) = world.graph.stubs_held.values()
    forged = SealedStub(facts=replace(stub.facts, removed_on=date(2020, 1, 1)), mac=stub.mac)
    world.graph.stubs_held[stub.facts.id] = forged
    plan = world.plan(date(2026, 6, 2))
    assert (plan.due, [one.reason for one in plan.findings]) == ((), [Reason.DOES_NOT_VERIFY])


def test_a_stub_without_a_file_and_a_file_without_a_stub_are_incidents():
    world = Register()
    world.about("s1", "B")
    world.night(REMOVED)
    (archive,) = world.archive.records
    held = world.archive.records.pop(archive)
    world.archive.records[ArchiveId("ff" * 16)] = held
    findings = {(one.id, one.reason) for one in world.plan(date(2026, 6, 2)).findings}
    assert findings == {(archive, Reason.NO_FILE), ("ff" * 16, Reason.NO_STUB)}


def test_a_file_that_is_still_there_after_its_destruction_fails_the_run(monkeypatch):
    world = Register()
    world.about("s1", "B")
    world.night(REMOVED)
    monkeypatch.setattr(FakeArchive, "destroy", lambda archive, places: 0)
    assert world.night(date(2031, 6, 2)) is None
    assert world.graph.runs()[0].state is RunState.FAILED


def test_keys_of_what_was_not_planned_are_not_dropped_though_it_was_deleted_with_a_forged_line(monkeypatch):
    world = Register(batch=1)
    world.about("s1", "B")
    world.about("s2", "E", date(2024, 2, 1))
    other = hexid("signal", "s2")
    world.clock.at = datetime.combine(REMOVED, time(1), UTC)
    nightly(world.graph, world.clock)
    erase = FakeGraph.erase

    def forging(graph: FakeGraph, *args: Any, **kwargs: Any) -> object:
        line = erase(graph, *args, **kwargs)
        (lines,) = world.graph.journals.values()
        world.graph.signals_held.pop(other, None)
        lines[0] = replace(lines[0], signals=tuple(sorted({*lines[0].signals, other})))
        return line

    monkeypatch.setattr(FakeGraph, "erase", forging)
    world.carry_out()
    assert other in world.keys.rows
    assert world.graph.runs()[0].state is RunState.FAILED


def test_a_keeper_that_slept_between_read_back_and_signing_certifies_nothing_that_another_one_failed(
    monkeypatch,
):
    world = Register()
    world.about("s1", "B")
    world.clock.at = datetime.combine(REMOVED, time(1), UTC)
    nightly(world.graph, world.clock)
    world.process(holder="keeper-1").until_forgotten()
    sleeper = world.process(holder="keeper-1")
    certify = FakeEvidence.certify

    def slept(evidence: FakeEvidence, *args: Any, **kwargs: Any) -> object:
        world.clock.at += timedelta(seconds=world.policy.lease_seconds + 1)
        other = world.process(holder="keeper-2")
        lease = other._lease()
        assert lease is not None
        other._failed(world.graph.runs()[0], "read-back", ("x",), lease)
        return certify(evidence, *args, **kwargs)

    monkeypatch.setattr(FakeEvidence, "certify", slept)
    with pytest.raises(Unavailable, match="another keeper"):
        sleeper.finish()
    assert world.evidence.filed == []
    assert world.graph.runs()[0].state is RunState.FAILED


def _ready() -> Register:
    """A night with removals, a destruction at once and a destruction of an archived record."""
    world = Register(batch=2)
    world.about("s0", "Z", date(2015, 6, 1), reviewed=False)
    world.night(date(2021, 5, 30))
    world.about("s1", "AB")
    world.about("s2", "A", date(2024, 2, 1))
    world.about("s3", "CD")
    world.about("s4", "BCD")
    world.signal("s5", RECEIVED)
    world.about("s6", "F", date(2024, 2, 1))
    world.decide("F", _act(date(2026, 5, 31), ActKind.FOUND_UNLAWFUL, EndCode.UNLAWFUL))
    world.clock.at = datetime.combine(REMOVED, time(1), UTC)
    nightly(world.graph, world.clock)
    return world


def _state(world: Register) -> dict[str, object]:
    stubs = sorted((one.facts.kind, str(one.facts.destroyed_on)) for one in world.graph.stubs_held.values())
    return {
        "subjects": dict(world.graph.subjects_held),
        "signals": dict(world.graph.signals_held),
        "stubs": stubs,
        "records": sorted((one.item, len(about)) for one, about in world.archive.records.values()),
        "pending": world.archive.pending,
        "rows": set(world.keys.rows),
        "runs": [run.state for run in world.graph.runs()],
        "certificates": [
            (body["scope"]["counts"], body["terms"], body["stubs"]["count"], body["stores"][4:], body["exceptions"])
            for _, body in world.evidence.filed
        ],
    }


def _carried(world: Register, fate: Fate) -> None:
    world.process(fate).until_forgotten()
    world.process(fate).finish()


def test_whenever_a_process_dies_the_next_ends_the_run_the_same():
    """R22: archived and deleted, or neither."""
    first = _ready()
    counting = Fate()
    expected = copy.deepcopy(first)
    _carried(expected, counting)
    wanted = _state(expected)
    assert [one for one, _ in wanted["records"]] == sorted(
        [hexid("subject", one) for one in "BCD"] + [hexid("signal", "s5")]
    )
    for at in range(counting.moments):
        world = copy.deepcopy(first)
        fate = Fate(at=at)
        with pytest.raises(Killed):
            _carried(world, fate)
        world.carry_out()
        assert _state(world) == wanted, at


def test_a_removal_interrupted_between_its_transactions_leaves_one_record(monkeypatch):
    """The first transaction of a large batch took signals and wrote the stubs; the next process takes the rest."""
    world = Register()
    world.about("s1", "A")
    world.about("s2", "A")
    world.clock.at = datetime.combine(REMOVED, time(1), UTC)
    nightly(world.graph, world.clock)
    whole = FakeGraph.erase

    def first_part(graph: FakeGraph, run: object, batch: Any, *rest: Any) -> None:
        whole(graph, run, replace(batch, subjects=(), signals=batch.signals[:1]), *rest)
        raise Killed

    for dies in (first_part, _killed, _killed):  # killed again before anything more was done
        monkeypatch.setattr(FakeGraph, "erase", dies)
        with pytest.raises(Killed):
            world.process().until_forgotten()
        assert len(world.graph.stubs_held) == 1
    monkeypatch.undo()
    world.carry_out()
    assert world.graph.runs()[0].state is RunState.CERTIFIED
    assert world.graph.subjects_held == {}
    ((record, about),) = world.archive.records.values()
    assert (record.item, len(about)) == (hexid("subject", "A"), 2)
    assert world.stub().id in world.archive.records
    assert world.archive.pending == {}
    ((_, stated),) = world.evidence.filed
    assert stated["stubs"]["count"] == 1


def test_a_signal_that_changed_between_the_transactions_of_a_removal_leaves_one_record(monkeypatch):
    world = Register()
    world.about("s1", "A")
    world.about("s2", "A")
    world.clock.at = datetime.combine(REMOVED, time(1), UTC)
    nightly(world.graph, world.clock)
    whole, tried = FakeGraph.erase, []

    def changed_once(graph: FakeGraph, run: RunId, batch: ErasureBatch, *rest: Any) -> Erased | Changed:
        tried.append(batch)
        if len(tried) == 1:
            whole(graph, run, replace(batch, subjects=(), signals=batch.signals[:1]), *rest)
            return Changed(items=((batch.signals[1][0], Skip.CHANGED),))
        return whole(graph, run, replace(batch, number=batch.number + 1), *rest)

    monkeypatch.setattr(FakeGraph, "erase", changed_once)
    world.carry_out()
    assert [len(one.stubs) for one in tried] == [1, 0]
    assert world.graph.runs()[0].state is RunState.CERTIFIED
    ((record, about),) = world.archive.records.values()
    assert (record.item, len(about)) == (hexid("subject", "A"), 2)


def _killed(*_: Any) -> None:
    raise Killed


def _looking(world: Register) -> Outlook:
    return Outlook(erasure=world.graph, holds=world.graph, check=world.facts, policy=POLICY)


def test_an_archived_record_stands_in_the_calendar_and_is_explained_by_its_own_id():
    """R12: destructions are listed by date, as the holds stand."""
    world = Register()
    world.about("s1", "B")
    world.night(REMOVED)
    stub = world.stub()
    (week,) = _looking(world).calendar(date(2031, 5, 31), 1)["weeks"]
    assert (week["removals"], week["destructions"]) == (0, 1)
    assert _looking(world).calendar(date(2031, 6, 3), 1)["late"]["destructions"] == 1
    told = _looking(world).explain(SubjectId(stub.id), date(2031, 6, 1))
    assert told is not None
    assert (told["state"], told["destroy_on"], told["visible"]) == ("removed", "2031-06-02", False)
    line = {"case": "again", "policy": told["policy"], "date": told["on"], "subject": told["facts"]}
    again = answer(json.dumps(line).encode(), shipped_every())
    assert {name: again[name] for name in ("state", "destroy_on", "rule")} == {
        name: told[name] for name in ("state", "destroy_on", "rule")
    }
    world.hold(HoldGround.EVIDENCE, date(2031, 5, 1), date(2031, 6, 20), archived=(stub.id,))
    assert _looking(world).explain(SubjectId(stub.id), date(2031, 6, 1))["destroy_on"] == "2031-06-21"
    (week,) = _looking(world).calendar(date(2031, 5, 31), 1)["weeks"]
    assert week["destructions"] == 0
    world.night(date(2031, 6, 21))
    assert _looking(world).explain(SubjectId(stub.id), date(2031, 6, 22))["archived"]["destroyed_on"] == "2031-06-21"
    assert _looking(world).calendar(date(2031, 6, 23), 1)["late"]["destructions"] == 0


@pytest.mark.parametrize(
    ("kind", "code"), [(ActKind.FOUND_UNLAWFUL, EndCode.UNLAWFUL), (ActKind.FOUND_INCORRECT, EndCode.INCORRECT)]
)
def test_a_decision_that_somebody_wrote_without_the_key_turns_no_archive_into_destruction(kind, code):
    """R01, R10: what stands beside a MAC that does not hold is nobody's decision; the record goes to the archive."""
    world = Register()
    world.about("s1", "B")
    item = SubjectId(hexid("subject", "B"))
    held = world.graph.subjects_held[item]
    forged = replace(held.facts, acts=(*held.facts.acts, _act(REMOVED, kind, code)))
    world.graph.subjects_held[item] = replace(held, facts=forged)
    (due,) = (one for one in world.plan(REMOVED).due if one.kind == "subject")
    assert due.fate == "removed"
    world.graph.subjects_held[item] = replace(held, facts=forged, mac=world.facts.mac(forged))
    (due,) = (one for one in world.plan(REMOVED).due if one.kind == "subject")
    assert due.fate == "destroyed"


def test_w14_the_archived_copy_of_what_an_order_brought_back_is_void_and_goes_by_the_next_run():
    """Void by the order, years before its own day; under a hold it waits."""
    world = Register()
    world.about("s1", "B")
    world.night(REMOVED)
    held = world.stub()
    ordered = REMOVED + timedelta(days=200)
    void = replace(held, revision=held.revision + 1, event="order", event_on=ordered)
    world.graph.stubs_held[held.id] = SealedStub(facts=void, mac=world.facts.mac(void))
    world.facts.remember([(held.id, void.revision)])
    assert void.void
    assert not held.void
    world.hold(HoldGround.EVIDENCE, ordered, ordered + timedelta(days=5), archived=(held.id,))
    assert world.night(ordered) is None
    assert held.id in world.archive.records
    body = world.night(ordered + timedelta(days=6))
    assert body is not None
    assert [(one["rule"], one["act"], one["event"], one["due_on"]) for one in body["terms"]] == [
        ("archive.five-years", "destroyed", "order", ordered.isoformat())
    ]
    assert world.archive.records == {}
    assert world.stub().destroyed_on == ordered + timedelta(days=6)


def test_r18_an_archived_file_that_was_altered_is_found_within_thirty_nights_and_nothing_is_deleted():
    """R18: content that is kept cannot be altered unnoticed."""
    world = Register()
    for name in "BCD":
        world.about(f"s{name}", name)
    world.night(REMOVED)
    looking = FileCheck(
        erasure=world.graph, archive=world.archive, check=world.facts, trail=world.graph, clock=world.clock
    )
    nights = [REMOVED + timedelta(days=days) for days in range(NIGHTS)]
    assert [one for night in nights for one in looking.look(night)] == []
    first = min(world.archive.records)
    world.archive.altered.add(first)
    seen = len(world.graph.entries)
    assert [one for night in nights for one in looking.look(night)] == [first]
    (entry,) = world.graph.entries[seen:]
    assert (entry.act, entry.targets, entry.detail["code"]) == ("integrity.incident", (first,), "file-altered")
    assert len(world.archive.records) == 3
