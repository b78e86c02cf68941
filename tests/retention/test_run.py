"""Runs: what is gone and what stays, certificates, approvals, and death at every moment."""

import copy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence.merkle import ids_root
from evidence.statement import draft
from register.audit import Act, Outcome
from register.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from register.ids import IdentifierId, RunId, SignalId, SubjectId
from register.runs import Approval, Erased, Run, RunState
from retention.detail import Detail
from retention.orders import nightly, pending
from retention.plan import Reason
from retention.planned import digest
from tests.fakes import Fate, Killed
from tests.retention.world import OFFICER, POLICY, SECOND, World, hexid

DAY = date(2026, 11, 24)
DUE = date(2021, 11, 24)
LIVE = date(2024, 2, 1)


def _world(**changes) -> World:
    """B, C and D are due, and a signal that names nobody; A and E live on, E with an identifier that C carries too."""
    world = World(policy=replace(POLICY, batch=2), **changes)
    world.signal("s1", DUE, "AB", identifiers=[("B", "i1")], port="NLRTM")
    world.signal("s2", LIVE, "A")
    world.signal("s3", DUE, "CD", identifiers=[("C", "i2"), ("D", "i3")])
    world.signal("s4", DUE, "BCD")
    world.signal("s5", DUE)
    world.signal("s6", LIVE, "E", identifiers=[("E", "i2")])
    world.signal("s7", LIVE)
    return world


def _state(world: World) -> dict[str, object]:
    """All that must not depend on when a process died."""
    statements = [
        {
            part: body[part]
            for part in ("scope", "cascade", "grounds", "terms", "skipped", "run", "policy", "requested_by")
        }
        | {"sequence": filed.sequence, "rows": body["keys"]["rows_dropped"], "tokens": body["keys"]["tokens_dropped"]}
        for filed, body in world.evidence.filed
    ]
    for one in statements:
        one["run"] = {**one["run"], "id": None, "fence": None}
    return {
        "subjects": dict(world.graph.subjects_held),
        "signals": dict(world.graph.signals_held),
        "identifiers": set(world.graph.identifiers_held),
        "rows": set(world.keys.rows),
        "tokens": set(world.keys.tokens),
        "tombstones": set(world.keys.tombstones),
        "generation": world.keys.generation,
        "versions": len(world.keys.versions),
        "runs": [(run.state, run.as_of, run.due_subjects, run.due_signals) for run in world.graph.runs()],
        "left over": (world.graph.orders(), dict(world.graph.journals), dict(world.graph.gone)),
        "certificates": statements,
        "incidents": [entry.detail for entry in world.graph.entries if entry.act is Act.INTEGRITY_INCIDENT],
    }


def test_what_is_due_goes_and_what_lives_stays():
    """C32: without anybody's order."""
    world = _world()
    untouched = world.graph.signals_held[hexid("signal", "s6")]
    nightly(world.graph, world.clock)
    world.carry_out()
    assert set(world.graph.subjects_held) == {hexid("subject", "A"), hexid("subject", "E")}
    assert set(world.graph.signals_held) == {hexid("signal", name) for name in ("s1", "s2", "s6", "s7")}
    assert world.graph.identifiers_held == {hexid("identifier", "i2")} == world.keys.tokens
    assert world.keys.rows == {*world.graph.subjects_held, *world.graph.signals_held}
    assert world.graph.signals_held[hexid("signal", "s6")] == untouched
    left = world.graph.signals_held[hexid("signal", "s1")]
    assert left.facts.revision == 2
    assert left.facts.mentions == (hexid("mention", "s1A"),)
    assert left.facts.links == (hexid("link", "s1NLRTM"),)
    assert world.facts.verifies(left)
    assert world.plan(DAY).due == () == world.plan(DAY).findings
    (run,) = world.graph.runs()
    assert run.state is RunState.CERTIFIED
    assert not any(item in run.detail for item in world.keys.tombstones)


def test_the_certificate_says_what_happened():
    world = _world()
    nightly(world.graph, world.clock)
    world.carry_out()
    ((filed, body),) = world.evidence.filed
    assert draft(body)
    gone = {hexid("subject", one) for one in "BCD"} | {hexid("signal", one) for one in ("s3", "s4", "s5")}
    gone |= {hexid("mention", one) for one in ("s1B", "s3C", "s3D", "s4B", "s4C", "s4D")}
    gone |= {hexid("link", one) for one in ("s1AB", "s3CD", "s4BC", "s4BD", "s4CD")}
    gone |= {hexid("identifier", one) for one in ("i1", "i3")}
    assert body["scope"]["ids"] == {"count": len(gone), "root": ids_root(gone).hex()}
    assert {one["kind"]: one["count"] for one in body["scope"]["counts"]} == {
        "subject": 3,
        "signal": 3,
        "mention": 6,
        "link": 5,
        "identifier": 2,
    }
    assert body["scope"]["redacted"] == [{"kind": "signal", "count": 1}]
    (term,) = body["terms"]
    assert term == {
        "rule": "theme.last-necessity",
        "act": "destroyed",
        "event": "signal",
        "event_on": "2021-11-24",
        "period": "P5Y",
        "due_on": "2026-11-24",
        "count": 4,
    }
    assert body["grounds"][0]["citation"]["article"] == "Wpg art. 10(6)"
    direct = {(one["kind"], one["through"]): one["count"] for one in body["cascade"]}
    assert direct[("signal", None)] == 1
    assert direct[("signal", "subject")] == 2
    assert body["requested_by"] == {"role": "system", "actor": "system"}
    assert (body["run"]["trigger"], body["certificate"]["rehearsal"]) == ("schedule", "none")
    assert [one["found"] for one in body["readback"]] == [0, 0, 0]
    assert filed.certificate != world.graph.runs()[0].id
    issued = [entry for entry in world.graph.entries if entry.act is Act.CERTIFICATE_ISSUED]
    closed = tuple(sorted((filed.certificate, world.graph.runs()[0].id)))
    assert [entry.targets for entry in issued] == [(filed.certificate,), closed]


def test_a_replica_that_was_not_reached_is_a_named_exception_and_holds_nothing_up():
    world = _world()
    world.replicas.reachable = {"vault-two": True, "vault-three": False}
    nightly(world.graph, world.clock)
    world.carry_out()
    ((_, body),) = world.evidence.filed
    assert draft(body)
    stores = {one["name"]: (one["result"], one["assurance"]) for one in body["stores"] if one["store"] == "replica"}
    assert stores == {"vault-two": ("done", "logical"), "vault-three": ("not-reached", "none")}
    assert [one for one in body["exceptions"] if one["store"] == "replica"] == [
        {"store": "replica", "name": "vault-three", "reason": "not-reached", "until": None}
    ]


def test_certificates_are_chained_and_a_night_with_nothing_due_has_none():
    world = _world()
    nightly(world.graph, world.clock)
    world.carry_out()
    world.clock.at += timedelta(days=1)
    nightly(world.graph, world.clock)
    world.carry_out()
    assert [run.state for run in world.graph.runs()] == [RunState.NOTHING_DUE, RunState.CERTIFIED]
    assert world.keys.generation == 2
    world.clock.at = datetime(2029, 3, 1, 0, 30, tzinfo=UTC)
    nightly(world.graph, world.clock)
    world.carry_out()
    (first, _), (_, body) = world.evidence.filed
    assert body["certificate"]["previous"] == first.digest
    assert body["certificate"]["sequence"] == 2
    assert world.graph.subjects_held == {} == world.graph.signals_held
    assert world.graph.identifiers_held == set() == world.keys.tokens


def test_steps_are_told_in_order_once_each_is_durable():
    world = _world()
    nightly(world.graph, world.clock)
    world.carry_out()
    assert world.steps == [
        "begun",
        "batch-erased",
        "batch-erased",
        "erased",
        "anchor-advanced",
        "keys-replaced",
        "old-keys-destroyed",
        "forgotten",
        "workers-replaced",
        "read-back",
        "certified",
        "closed",
    ]


def _unbroken() -> tuple[dict[str, object], int, int]:
    """Return the state after a run that nobody killed, and how many moments its two processes had."""
    world = _world()
    nightly(world.graph, world.clock)
    first, second = Fate(), Fate()
    world.process(first).until_forgotten()
    world.process(second).finish()
    world.carry_out()
    return _state(world), first.moments, second.moments


UNBROKEN, FIRST, SECOND_LIFE = _unbroken()


def _live(world: World, deaths: list[int]) -> None:
    """Work everything off, in processes of which the first few die at the given moments."""
    for at in deaths:
        fate = Fate(at=at)
        try:
            if world.process(fate).until_forgotten() is not None:
                world.process(fate).finish()
        except Killed:
            continue
    world.carry_out()


@pytest.mark.parametrize("at", range(FIRST + SECOND_LIFE))
def test_a_process_killed_at_any_moment_leaves_a_run_that_ends_the_same(at):
    """R22: what was begun is ended."""
    world = _world()
    nightly(world.graph, world.clock)
    _live(world, [at])
    assert _state(world) == UNBROKEN


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.integers(0, FIRST + SECOND_LIFE), max_size=6))
def test_killed_again_and_again_it_ends_the_same(deaths):
    world = _world()
    nightly(world.graph, world.clock)
    _live(world, deaths)
    assert _state(world) == UNBROKEN


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.integers(0, FIRST), st.integers(1, 200))
def test_the_dead_keepers_lease_runs_out_and_another_one_goes_on(at, minutes):
    world = _world()
    nightly(world.graph, world.clock)
    with pytest.raises(Killed):
        world.process(Fate(at=min(at, FIRST - 1)), holder="keeper-0").until_forgotten()
    world.clock.at += timedelta(minutes=minutes)
    world.carry_out()
    assert _state(world)["certificates"] == UNBROKEN["certificates"]
    assert _state(world)["signals"] == UNBROKEN["signals"]


def test_of_two_keepers_one_works():
    world = _world()
    nightly(world.graph, world.clock)
    with pytest.raises(Killed):
        world.process(Fate(at=30), holder="keeper-0").until_forgotten()
    assert world.process(holder="keeper-1").until_forgotten() is None
    assert world.process(holder="keeper-1").finish() is None


def test_a_keeper_that_wakes_after_another_took_over_writes_nothing():
    world = _world()
    nightly(world.graph, world.clock)
    sleeper = world.process(holder="keeper-0")

    def overtaken(step):
        if str(step.point) == "batch-erased" and not world.evidence.filed:
            world.clock.at += timedelta(minutes=5)
            world.carry_out()

    sleeper = replace(sleeper, progress=overtaken)
    with pytest.raises(Unavailable):
        sleeper.until_forgotten()
    assert _state(world) == UNBROKEN


def test_a_subject_that_changed_since_the_plan_is_left_alone():
    """R38, C28: it is reported as skipped, and the rest goes."""
    world = _world()
    nightly(world.graph, world.clock)
    with pytest.raises(Killed):
        world.process(Fate(at=world_moment(world, "begun"))).until_forgotten()
    item = SubjectId(hexid("subject", "C"))
    facts = world.graph.subjects_held[item].facts
    world.subject(replace(facts, revision=facts.revision + 1))
    world.carry_out()
    assert item in world.graph.subjects_held
    (_, body) = world.evidence.filed[0]
    assert body["skipped"] == [{"kind": "subject", "reason": "changed", "count": 1}]
    assert {mention.facts.subject for mention in world.graph.signals_held[hexid("signal", "s3")].mentions} == {item}
    assert all(world.facts.verifies(held) for held in world.graph.signals_held.values())
    world.order(DAY)
    world.carry_out()
    assert item not in world.graph.subjects_held
    assert len(world.evidence.filed) == 2


def test_what_was_skipped_once_is_not_tried_again():
    world = _world()
    nightly(world.graph, world.clock)
    with pytest.raises(Killed):
        world.process(Fate(at=world_moment(world, "begun"))).until_forgotten()
    item = SubjectId(hexid("subject", "B"))
    facts = world.graph.subjects_held[item].facts
    world.subject(replace(facts, revision=facts.revision + 1))
    with pytest.raises(Killed):
        world.process(Fate(at=world_moment(world, "batch-erased"))).until_forgotten()
    world.carry_out()
    deleting = [entry for entry in world.graph.entries if entry.act is Act.DESTRUCTION]
    assert len(deleting) == 2
    assert item in world.graph.subjects_held


def test_a_redacted_signal_put_back_as_it_was_is_found():
    world = _world()
    before = world.graph.signals_held[hexid("signal", "s1")]
    nightly(world.graph, world.clock)
    world.carry_out()
    world.graph.signals_held[before.facts.id] = before
    assert [(one.id, one.reason) for one in world.plan(DAY).findings] == [(before.facts.id, Reason.BEHIND)]


def world_moment(world: World, point: str) -> int:
    """Return the moment right after `point` was told, found on a copy of the world."""
    trial, fate = copy.deepcopy(world), Fate()
    run = trial.process(fate)
    found = []
    inner = run.progress

    def told(step):
        inner(step)
        if str(step.point) == point and not found:
            found.append(fate.moments)

    replace(run, progress=told).until_forgotten()
    return found[0]


def test_an_item_gone_without_a_journal_line_is_unknown_and_an_incident_never_destroyed():
    world = _world()
    nightly(world.graph, world.clock)
    with pytest.raises(Killed):
        world.process(Fate(at=world_moment(world, "begun"))).until_forgotten()
    item = SubjectId(hexid("subject", "D"))
    del world.graph.subjects_held[item]
    world.carry_out()
    (_, body) = world.evidence.filed[0]
    assert body["skipped"] == [{"kind": "subject", "reason": "unknown", "count": 1}]
    assert {one["kind"]: one["count"] for one in body["scope"]["counts"]}["subject"] == 2
    incidents = [entry for entry in world.graph.entries if entry.act is Act.INTEGRITY_INCIDENT]
    assert [(entry.detail["code"], entry.targets) for entry in incidents] == [("unknown", (item,))]
    assert item in world.keys.rows
    assert item not in world.keys.tombstones


def test_a_signal_that_does_not_verify_is_redacted_and_still_does_not_verify():
    world = _world()
    signal = world.graph.signals_held[hexid("signal", "s1")]
    changed = replace(signal, facts=replace(signal.facts, received_on=date(2025, 1, 1)))
    world.graph.signals_held[signal.facts.id] = changed
    nightly(world.graph, world.clock)
    world.carry_out()
    left = world.graph.signals_held[signal.facts.id]
    assert left.facts.mentions == (hexid("mention", "s1A"),)
    assert not world.facts.verifies(left)
    assert world.graph.distrusted() == {signal.facts.id: DAY}
    assert hexid("subject", "B") not in world.graph.subjects_held


def test_what_does_not_verify_is_hidden_at_once_and_goes_thirty_days_later():
    """C12: what is hidden has its end."""
    world = _world()
    item = world.forge("E", date(2040, 1, 1))
    nightly(world.graph, world.clock)
    world.carry_out()
    assert world.graph.distrusted() == {item: DAY}
    world.clock.at += timedelta(days=29)
    nightly(world.graph, world.clock)
    world.carry_out()
    assert item in world.graph.subjects_held
    world.clock.at += timedelta(days=1)
    nightly(world.graph, world.clock)
    world.carry_out()
    assert item not in world.graph.subjects_held
    (_, body) = world.evidence.filed[-1]
    assert [(one["rule"], one["event"], one["period"]) for one in body["terms"]] == [
        ("theme.does-not-verify", "discovery", "P30D")
    ]


def test_something_left_behind_is_a_failed_run_without_certificate():
    """R38, C25: a half-purged item is a state of its own, and an incident."""
    world = _world()
    nightly(world.graph, world.clock)
    world.process().until_forgotten()
    world.keys.rows.add(hexid("subject", "B"))
    run = world.process().finish()
    assert run.state is RunState.FAILED
    assert world.evidence.filed == []
    assert [entry.detail["code"] for entry in world.graph.entries if entry.act is Act.INTEGRITY_INCIDENT] == [
        "read-back"
    ]
    assert world.process().until_forgotten() is None


def test_a_journal_line_forged_by_hand_costs_no_survivor_its_key():
    world = _world()
    survivors = {hexid("subject", "A"), hexid("signal", "s6"), hexid("identifier", "i2")}
    nightly(world.graph, world.clock)
    with pytest.raises(Killed):
        world.process(Fate(at=world_moment(world, "erased"))).until_forgotten()
    ((run, journal),) = world.graph.journals.items()
    forged = Erased(
        subjects=(SubjectId(hexid("subject", "A")),),
        signals=(SignalId(hexid("signal", "s6")),),
        identifiers=(IdentifierId(hexid("identifier", "i2")),),
    )
    journal.append(forged)
    world.carry_out()
    assert survivors <= world.keys.rows | world.keys.tokens
    assert not survivors & world.keys.tombstones
    assert hexid("subject", "B") not in world.keys.rows
    assert world.graph.runs_held[run].state is RunState.FAILED
    (incident,) = [one for one in world.graph.entries if one.act is Act.INTEGRITY_INCIDENT]
    assert {one.partition(":")[2] for one in incident.targets} >= survivors


def test_items_added_to_a_run_by_hand_are_not_deleted():
    world = _world()
    nightly(world.graph, world.clock)
    with pytest.raises(Killed):
        world.process(Fate(at=world_moment(world, "begun"))).until_forgotten()
    ((name, run),) = world.graph.runs_held.items()
    world.graph.runs_held[name] = replace(run, due_subjects=(*run.due_subjects, (SubjectId(hexid("subject", "A")), 2)))
    world.carry_out()
    assert world.graph.runs_held[name].state is RunState.FAILED
    assert hexid("subject", "A") in world.graph.subjects_held


def test_a_run_made_in_the_database_is_not_carried_out():
    """Whoever can write to the graph, and has no key, has no run of their own carried out."""
    world = _world()
    item = SubjectId(hexid("subject", "A"))
    due = ((item, world.graph.subjects_held[item].facts.revision),)
    run = Run(
        id=RunId(hexid("run", "forged")),
        state=RunState.APPROVED,
        as_of=DAY,
        started_at=world.clock.now(),
        digest=digest(DAY, world.plan(DAY).planned, due, (), ()),
        requested_by=OFFICER,
        approvals=(Approval(actor=SECOND, at=world.clock.now()),),
        due_subjects=due,
        detail=Detail.of(world.plan(DAY)).text(),
    )
    world.graph.runs_held[run.id] = run
    world.carry_out()
    assert world.graph.runs_held[run.id].state is RunState.FAILED
    assert item in world.graph.subjects_held
    assert world.evidence.filed == []


def test_an_approval_made_in_the_database_is_none():
    world = _many()
    run = world.order(DAY)
    world.carry_out()
    waiting = world.graph.runs_held[run]
    forged = Approval(actor=SECOND, at=world.clock.now())
    world.graph.runs_held[run] = replace(waiting, state=RunState.APPROVED, approvals=(forged,))
    world.carry_out()
    assert world.graph.runs_held[run].state is RunState.FAILED
    assert len(world.graph.subjects_held) == 51


def test_a_run_set_on_by_hand_gets_no_certificate():
    world = _many()
    run = world.order(DAY)
    world.carry_out()
    waiting = world.graph.runs_held[run]
    world.graph.runs_held[run] = replace(waiting, state=RunState.FORGOTTEN)
    world.process().finish()
    assert world.graph.runs_held[run].state is RunState.FAILED
    assert world.evidence.filed == []


def test_the_certificate_waits_for_the_last_process_with_the_old_key():
    world = _world()
    nightly(world.graph, world.clock)
    world.process().until_forgotten()
    world.keys.workers = {"serve-1": 1, "serve-2": world.keys.generation}
    never = replace(world.process(), pause=lambda: None)
    with pytest.raises(Unavailable, match="1 processes"):
        never.finish()
    assert world.evidence.filed == []
    run = world.process().finish()
    assert run.state is RunState.CERTIFIED
    places = {one["store"]: one["count"] for one in world.evidence.filed[0][1]["stores"]}
    assert places["memory"] == 1


def test_the_lease_is_kept_while_waiting_for_others():
    world = _world()
    nightly(world.graph, world.clock)
    world.process().until_forgotten()
    world.keys.workers = {"serve-1": 1}
    slow = []

    def pause():
        slow.append(1)
        world.clock.at += timedelta(seconds=40)
        if len(slow) == 4:
            world.keys.workers.clear()

    run = replace(world.process(), pause=pause).finish()
    assert run.state is RunState.CERTIFIED
    assert world.evidence.filed[0][1]["run"]["fence"] == world.keys.fence


def _many(count: int = 51, *, rehearsal: bool = False) -> World:
    world = World(rehearsal=rehearsal)
    for place in range(count):
        world.signal(f"s{place}", DUE, [f"p{place}"])
    return world


def test_a_large_plan_waits_for_a_second_person():
    """R20, C29: approved as a whole, by the digest of the list; never by who asked for it."""
    world = _many()
    run = world.order(DAY)
    world.carry_out()
    (waiting,) = world.graph.runs()
    assert (waiting.id, waiting.state) == (run, RunState.PLANNED)
    assert len(world.graph.subjects_held) == 51
    assert not pending(world.graph)
    for nobody in (OFFICER, "theme-register-project", "system"):
        with pytest.raises(Refused):
            world.approve(run, waiting.digest, nobody)
    assert [entry.outcome for entry in world.graph.entries[-3:]] == [Outcome.REFUSED] * 3
    with pytest.raises(Conflict):
        world.approve(run, "0" * 64)
    with pytest.raises(NotFound):
        world.approve(hexid("run", "x"), waiting.digest)
    world.approve(run, waiting.digest)
    assert pending(world.graph)
    world.carry_out()
    assert world.graph.subjects_held == {}
    (_, body) = world.evidence.filed[0]
    assert [(one["of"], one["sha256"], one["actor"]) for one in body["approvals"]] == [("plan", waiting.digest, SECOND)]
    assert body["requested_by"] == {"role": "compliance-officer", "actor": OFFICER}
    assert body["run"]["trigger"] == "order"


def test_a_plan_by_another_policy_than_the_one_in_force_is_not_approved():
    """R11: a changed schedule needs a fresh plan."""
    world = _many()
    run = world.order(DAY)
    world.carry_out()
    world.policy = replace(world.policy, digest="0" * 64)
    with pytest.raises(Conflict, match="another policy"):
        world.approve(run, world.graph.runs()[0].digest)


def test_a_waiting_plan_gives_way_to_the_next_one_and_leaves_no_id():
    world = _many()
    world.order(DAY)
    world.carry_out()
    world.clock.at += timedelta(days=1)
    nightly(world.graph, world.clock)
    world.carry_out()
    new, old = world.graph.runs()
    assert (old.state, old.due_subjects) == (RunState.SUPERSEDED, ())
    assert hexid("subject", "p1") not in old.detail
    assert new.state is RunState.PLANNED
    assert world.orders().plan(DAY)["difference"] == {"new": 0, "gone": 0}


def test_a_waiting_plan_does_not_give_way_to_one_for_an_earlier_day():
    """In a register for rehearsal, where a run may be for a day to come, the keeper's own of tonight holds less."""
    world = _many(rehearsal=True)
    world.order(DAY + timedelta(days=1))
    world.carry_out()
    nightly(world.graph, world.clock)
    world.carry_out()
    assert [(run.as_of, run.state) for run in world.graph.runs()] == [
        (DAY, RunState.PLANNED),
        (DAY + timedelta(days=1), RunState.PLANNED),
    ]


def test_fifty_go_without_asking():
    world = _many(50)
    world.order(DAY)
    world.carry_out()
    assert world.graph.subjects_held == {}


def test_a_date_to_come_is_for_plans_and_rehearsal_registers():
    world = _world()
    on = date(2027, 3, 1)
    assert world.orders().plan(on)["as_of"] == "2027-03-01"
    with pytest.raises(Invalid):
        world.order(on)
    assert world.graph.orders() == ()
    practice = _world(rehearsal=True)
    practice.order(on)
    practice.carry_out()
    (_, body) = practice.evidence.filed[0]
    assert body["certificate"]["rehearsal"] == "register"
    assert body["times"]["as_of"] == "2027-03-01"


@pytest.mark.parametrize(
    ("on", "code"), [(date(2027, 3, 1), "date.future"), (date(2025, 12, 31), "policy.not-in-force")]
)
def test_an_order_that_came_past_the_checks_is_refused_by_the_run_too(on, code):
    world = _world()
    world.rehearsal = True
    run = world.order(date(2026, 11, 1))
    world.rehearsal = False
    world.graph.orders_held[run] = replace(world.graph.orders_held[run], as_of=on)
    world.carry_out()
    assert [one.state for one in world.graph.runs()] == [RunState.REFUSED]
    assert world.graph.entries[-1].outcome is Outcome.REFUSED
    assert world.graph.entries[-1].detail["code"] == code
    assert hexid("subject", "B") in world.graph.subjects_held


def test_the_nightly_order_is_filed_once_a_day_by_the_amsterdam_date():
    """C32: nobody has to switch it on."""
    world = _world()
    world.clock.at = datetime(2026, 11, 23, 23, 5, tzinfo=UTC)
    assert nightly(world.graph, world.clock) is not None
    assert nightly(world.graph, world.clock) is None
    world.carry_out()
    assert nightly(world.graph, world.clock) is None
    assert [run.as_of for run in world.graph.runs()] == [DAY]
    world.clock.at = datetime(2026, 11, 24, 23, 5, tzinfo=UTC)
    assert nightly(world.graph, world.clock) is not None


def test_c19_an_order_sent_twice_is_one_order_and_both_times_are_logged():
    world = _world()
    first = world.order(DAY)
    assert world.order(DAY) == first
    assert [one["run"] for one in world.orders().runs()] == [first]
    asked = [one for one in world.graph.entries if one.act is Act.RETENTION_ORDER]
    assert [one.targets for one in asked] == [(first,), (first,)]
    world.carry_out()
    assert world.order(DAY) != first


def test_runs_and_orders_are_told_newest_first():
    world = _world()
    world.order(DAY)
    world.carry_out()
    world.clock.at += timedelta(seconds=1)
    waiting = world.order(DAY)
    told = world.orders().runs()
    assert [(one["run"] == waiting, one["state"]) for one in told] == [(True, "ordered"), (False, "certified")]
    assert told[1]["outcome"]["subject"] == 3


histories = st.lists(
    st.tuples(st.dates(date(2020, 1, 1), date(2023, 1, 1)), st.sets(st.sampled_from("ABCDEF"), max_size=4)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(histories, st.integers(1, 5), st.lists(st.integers(0, 200), max_size=3))
def test_whatever_the_register_and_the_deaths_due_is_gone_and_live_is_whole(history, batch, deaths):
    world = World(policy=replace(POLICY, batch=batch))
    for place, (received_on, subjects) in enumerate(history):
        world.signal(f"s{place}", received_on, sorted(subjects))
    before = {**world.graph.subjects_held}
    due = {item.id for item in world.plan(DAY).due}
    world.order(DAY)
    _live(world, deaths)
    assert set(world.graph.subjects_held) == before.keys() - due
    assert all(world.graph.subjects_held[one] == before[one] for one in world.graph.subjects_held)
    assert world.plan(DAY).due == () == world.plan(DAY).findings
    assert world.keys.rows == {*world.graph.subjects_held, *world.graph.signals_held}
    assert len(world.evidence.filed) == (1 if due else 0)
    assert all(draft(body) for _, body in world.evidence.filed)
