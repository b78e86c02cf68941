"""The lines in which a subject's facts keep what was decided about it: one form for each decision, and no other."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.decisions import CODES, ENDS, ActKind, Decision, EndCode, decode, decode_all, encode
from register.errors import Tampered
from register.ids import DossierId

DOSSIER = DossierId("5f1c8a3e9d2b47060718293a4b5c6d7e")
LINE = f"2026-11-20 2026-11-24 necessity-decision needed-on-new-information {DOSSIER}"


_DATES = st.dates(date(2000, 1, 1))


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    kind = draw(st.sampled_from(ActKind))
    accepted_on = draw(_DATES)
    return Decision(
        on=accepted_on - timedelta(days=draw(st.integers(0, 900))),
        accepted_on=accepted_on,
        kind=kind,
        code=draw(st.sampled_from(sorted(CODES[kind]))),
        dossier=DossierId(f"{draw(st.integers(0, 2**128 - 1)):032x}"),
    )


@given(st.lists(decisions(), max_size=5))
def test_every_decision_reads_as_it_was_written(taken: list[Decision]) -> None:
    assert decode_all(map(encode, taken)) == tuple(taken)


@given(decisions(), decisions())
def test_two_decisions_never_share_a_line(one: Decision, other: Decision) -> None:
    assert (encode(one) == encode(other)) == (one == other)


def test_a_worked_line() -> None:
    assert decode(LINE) == Decision(
        on=date(2026, 11, 20),
        accepted_on=date(2026, 11, 24),
        kind=ActKind.NECESSITY,
        code="needed-on-new-information",
        dossier=DOSSIER,
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        LINE + " ",
        LINE.replace(" ", "  ", 1),
        LINE.replace("2026-11-20", "20261120"),
        LINE.replace("2026-11-20", "2026-11-25"),  # taken in before it happened
        LINE.replace("needed-on-new-information", "still-needed"),  # the code of another kind
        LINE.replace("necessity-decision", "query"),
        LINE.replace(DOSSIER, DOSSIER.upper()),
        LINE.replace(DOSSIER, DOSSIER[:-1]),
        LINE.rsplit(" ", 1)[0],
    ],
)
def test_any_other_form_is_not_what_this_register_wrote(line: str) -> None:
    with pytest.raises(Tampered):
        decode(line)


def test_every_ground_of_an_early_end_counts_as_something_in_the_law() -> None:
    assert set(ENDS) == set(EndCode)
    assert {kind for kind in ENDS.values() if kind is not ActKind.NO_LONGER_NECESSARY} == {
        ActKind.FOUND_INCORRECT,
        ActKind.FOUND_UNLAWFUL,
    }
    assert all(code in CODES[kind] for code, kind in ENDS.items())
