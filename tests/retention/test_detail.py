"""What a run keeps beside its items: a stored format, frozen by a vector."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from register.ids import RunId
from register.runs import Fate, Forgotten
from retention.detail import Detail, Purged
from retention.planned import Ground, Kind, Planned, Term, Wait, fingerprint

VECTOR = json.loads((Path(__file__).parent.parent / "vectors" / "retention" / "detail.json").read_text())

days = st.dates(date(1990, 1, 1), date(2090, 1, 1))
ids = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
terms = st.builds(
    Term,
    rule=st.sampled_from(["a", "b"]),
    event=st.sampled_from(["signal", "order"]),
    event_on=days,
    period=st.just("P5Y"),
    due_on=days,
)
grounds = st.builds(
    Ground, rule=ids, category=st.just("theme"), article=st.text(), source=st.text(), version_on=st.none() | days
)
counts = st.integers(0, 2**40)
purged = st.builds(
    Purged,
    forgotten=st.builds(
        Forgotten,
        run=ids.map(RunId),
        anchor_kind=st.just("file"),
        assurance=st.just("logical"),
        **{name: counts for name in Forgotten.__dataclass_fields__ if name not in {"run", "anchor_kind", "assurance"}},
    ),
    fence=counts,
    destroyed_at=st.datetimes(timezones=st.just(UTC)),
)
fates = st.tuples(st.sampled_from(Fate), st.none() | days)


@st.composite
def plans(draw):
    items = draw(st.dictionaries(ids, st.tuples(terms, fates)))
    return Planned(
        policy=draw(st.dictionaries(st.text(), st.text())),
        live=draw(st.dictionaries(st.text(), counts)),
        grounds=draw(st.lists(grounds, max_size=2).map(tuple)),
        terms={item: term for item, (term, _) in items.items()},
        fates={item: fate for item, (_, fate) in items.items()},
        held=draw(st.dictionaries(ids, st.lists(ids).map(tuple))),
        holds=draw(st.dictionaries(ids, st.just("wpg-14-4"))),
        waiting=draw(st.dictionaries(st.tuples(st.sampled_from(Kind), st.sampled_from(Wait)), counts)),
        kept=draw(st.dictionaries(st.just("wpg-14-4"), counts)),
        going=draw(st.lists(ids).map(tuple)),
    )


details = st.builds(
    Detail,
    planned=plans(),
    certificate=ids,
    purged=st.none() | purged,
    fingerprints=st.lists(ids).map(tuple),
    outcome=st.dictionaries(st.text(), st.text() | counts),
)


def test_the_stored_form_is_frozen():
    text = json.dumps(VECTOR["detail"], sort_keys=True, separators=(",", ":"))
    detail = Detail.read(text)
    assert detail.text() == text
    assert detail.planned.terms["00" * 16].due_on == date(2026, 11, 24)
    assert detail.planned.fates["00" * 16] == (Fate.REMOVED, date(2031, 11, 25))
    assert detail.purged.destroyed_at == datetime(2026, 11, 24, 0, 30, tzinfo=UTC)


@given(details)
def test_written_and_read_again(detail):
    assert Detail.read(detail.text()) == detail


@given(details)
def test_once_closed_no_id_of_an_item_is_left(detail):
    closed = detail.closed({"subject": 1})
    planned = detail.planned
    assert set(closed.fingerprints) == {fingerprint(item) for item in planned.terms}
    text = closed.text()
    named = {*planned.terms, *planned.held, *planned.going} - {detail.certificate, *planned.holds}
    own = (*(one.rule for one in planned.grounds), str(detail.purged))
    assert not [item for item in named if item in text and not any(item in one for one in own)]
