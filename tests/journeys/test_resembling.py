"""Somebody goes who is named, unstated, in a text of a signal that stays: that signal goes to the desk."""

import json
from datetime import timedelta

from api.exchange.signal_v1 import to_json
from api.wiring import workplace
from tests.journeys.census import sealed_signals
from tests.journeys.installation import Installation
from tests.journeys.test_backlog import DESK
from tests.journeys.test_enquiry import TODAY, cast, tie

GONE, WITH, _ = cast("x", "Olivier van der Steenloper", "Sientje Lepelaar", "X. Handel B.V.")
ONE, OTHER, FIRM = cast("y", "Maarten Strandloper", "Neeltje Bontbek", "Kwelder Overslag B.V.")
TEXTS = {
    "named": "Maarten Strandloper is said to have paid Neeltje Bontbek, seen by Olivier Steenloper.",
    "other": "Maarten Strandloper is said to have paid Neeltje Bontbek, seen by Olivier Vosmeer.",
    "nobody": "Maarten Strandloper is said to have paid Neeltje Bontbek.",
}


def test_a_signal_that_names_who_goes_waits_for_the_desk_before_the_name_is_gone(register: Installation) -> None:
    """Names that are found but not stated are compared with the removed names at every removal."""
    with register.serving(keeper=False):
        for code, role in (("douane", "contributor"), ("chris", "compliance-officer"), ("desk-2", "desk-officer")):
            register.enrol(code, role)
        told = [tie("gone", GONE, WITH, days=1750)]  # the others stay for years, or until a review is missed
        told += [tie(name, ONE, OTHER, days=10, narrative=text) for name, text in TEXTS.items()]
        for one in told:
            assert register.ask("douane", "POST", "/v1/signals", json.loads(to_json(one))).status_code == 201
    with workplace(register.settings, "test") as opened:
        signals = {opened.sealer.open_signal(one).reference: one for one in sealed_signals(opened.graph)}
        going = [one.facts.subject for one in signals["gone"].mentions]
        due = next(iter(opened.erasure.subjects(going))).subject.facts.remove_by
        staying = [one.facts.subject for one in signals["named"].mentions]
        resembling = opened.offices.resembling
        assert resembling.look(staying, [], TODAY) == 0  # who is stated is no unstated name
        assert resembling.look(going, [signals["named"].facts.id], TODAY) == 0  # goes by itself
    with register.serving():
        run = register.json("retention", "run", "--on", due.isoformat(), "--wait", "120", key="chris")
        assert run["state"] == "certified"
        waiting = register.ask("desk-2", "GET", "/v1/desk", Purpose="necessity-review", Case="RR-2026/1").json()
        assert [one["signal"] for one in waiting["items"]] == [signals["named"].facts.id]
        page = register.ask("desk-2", "GET", f"/v1/signals/{signals['named'].facts.id}").json()
        assert page["unstated"] == [{"field": "narrative", "words": "Olivier Steenloper"}]
        (entry,) = register.sealed("name.found", "chris")
        assert json.loads(json.dumps(entry))["targets"] == [signals["named"].facts.id]
    with workplace(register.settings, "test") as opened:
        after = {opened.sealer.open_signal(one).reference: one.facts for one in sealed_signals(opened.graph)}
        assert {name: facts.redacted_on for name, facts in after.items()} == {
            "named": due,
            "other": None,
            "nobody": None,
        }


def test_what_does_not_verify_or_open_holds_up_no_removal(register: Installation) -> None:
    with workplace(register.settings, "test") as opened:
        for name in ("named", "other"):
            opened.intake.record(DESK, tie(name, ONE, OTHER, days=10, narrative=TEXTS["named"]))
        opened.intake.record(DESK, tie("gone", GONE, WITH, days=100))
        signals = {opened.sealer.open_signal(one).reference: one for one in sealed_signals(opened.graph)}
        going = [one.facts.subject for one in signals["gone"].mentions]
        resembling, day = opened.offices.resembling, TODAY + timedelta(days=1)
        ids = [signals[name].facts.id for name in ("named", "other")]
        opened.graph.write(
            lambda tx: tx.run("MATCH (g:Signal {id: $id}) SET g.unstated = $blob", id=ids[0], blob=b"x").consume()
        )
        opened.graph.write(
            lambda tx: tx.run("MATCH (g:Signal {id: $id}) SET g.contributor = 'else'", id=ids[1]).consume()
        )
        assert resembling.look(going, [], day) == 0
        opened.graph.write(
            lambda tx: tx.run("MATCH (g:Signal {id: $id}) SET g.contributor = $by", id=ids[1], by=DESK.code).consume()
        )
        assert resembling.look(going, [], day) == 1
        assert resembling.look(going, [], day) == 0  # it waits already
        assert opened.sealer.open_signal(next(one for one in sealed_signals(opened.graph) if one.facts.id == ids[1]))
