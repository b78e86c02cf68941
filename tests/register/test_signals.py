from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings

from api.exchange import signal_v1
from register.grading import Origin
from register.links import LinkKind, NewLink
from register.ports import Harbours
from register.rules import RULES
from register.signals import NewHandling, NewSource, canonical, check, document
from register.subjects import SpecialCategory
from tests.builders import HARBOURS, TODAY, a_person, a_signal, an_organisation, signals


def five_years(day):
    """The five-year rule of the worked examples W1 to W3."""
    try:
        return day.replace(year=day.year + 5)
    except ValueError:
        return day.replace(year=day.year + 5, day=28)


def faults(signal, *, today=TODAY):
    found = check(signal, today=today, harbours=HARBOURS.__contains__, deadline=five_years, informant_months=4)
    return [(fault.pointer, fault.rule) for fault in found]


def from_an_informant(**changes):
    return a_signal(source=replace(a_signal().source, origin=Origin.INFORMANT), **changes)


@given(signals())
def test_valid_signals_have_no_faults(signal):
    assert faults(signal) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"received_on": date(2026, 11, 25)}, [("/received_on", "date.future")]),
        ({"received_on": date(9999, 12, 31)}, [("/received_on", "date.future")]),
        ({"handed_in_on": date(2026, 11, 25)}, [("/handed_in_on", "date.future")]),
        ({"handed_in_on": date(2026, 11, 1)}, [("/handed_in_on", "date.order")]),
        ({"handed_in_on": date(2026, 11, 2)}, []),
        ({"observed_from": date(2026, 11, 25)}, [("/observed/from", "date.future")]),
        ({"observed_until": date(2026, 11, 25)}, [("/observed/until", "date.future")]),
        (
            {"observed_from": date(2026, 10, 2), "observed_until": date(2026, 10, 1)},
            [("/observed/until", "date.order")],
        ),
        ({"observed_from": date(2026, 10, 1), "observed_until": date(2026, 10, 1)}, []),
        ({"reference": " "}, [("/reference", "text.blank")]),
        ({"reference": "a\tb"}, [("/reference", "text.control")]),
        ({"narrative": "\u200b\n"}, [("/narrative", "text.blank")]),
        ({"narrative": "first line\nsecond \x9b line"}, []),
        ({"necessity": "e\u0301"}, [("/necessity", "text.form")]),
        ({"narrative": "a\x00b"}, [("/narrative", "text.characters")]),
        ({"source": NewSource(origin=Origin.WITNESS, obtained=" ")}, [("/source/obtained", "text.blank")]),
        (
            {"source": replace(a_signal().source, description="\udfff")},
            [("/source/description", "text.characters")],
        ),
        (
            {"handling": NewHandling(code=a_signal().handling.code, conditions="\x00")},
            [("/handling/conditions", "text.characters")],
        ),
        ({"ports": ("NLRTM", "NLXXX")}, [("/ports/1", "port.unknown")]),
        ({"subjects": (a_person(), a_person(), an_organisation())}, [("/subjects/1/ref", "ref.duplicate")]),
        ({"subjects": (a_person(), an_organisation(position="a\nb"))}, [("/subjects/1/position", "text.control")]),
    ],
)
def test_what_a_schema_cannot_say(changes, expected):
    assert faults(a_signal(**changes)) == expected


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ({"from_ref": "p9"}, [("/links/0/from", "link.end-unknown")]),
        ({"from_ref": "NLRTM"}, [("/links/0/from", "link.end-unknown")]),
        ({"to_ref": "p9"}, [("/links/0/to", "link.end-unknown")]),
        ({"to_ref": "NLVLI"}, [("/links/0/to", "link.end-unknown")]),
        ({"to_ref": "p1"}, [("/links/0/to", "link.self")]),
        ({"to_ref": "NLRTM"}, []),
        ({"since": date(2026, 11, 25)}, [("/links/0/since", "date.future")]),
        ({"until": date(2026, 11, 25)}, [("/links/0/until", "date.future")]),
        ({"since": date(2026, 1, 2), "until": date(2026, 1, 1)}, [("/links/0/until", "date.order")]),
    ],
)
def test_links_have_two_known_ends_and_a_past(ends, expected):
    link = replace(NewLink(from_ref="p1", to_ref="o1", kind=LinkKind.PAID), **ends)
    assert faults(a_signal(links=(link,))) == expected


def test_w16_a_signal_whose_term_is_over_is_refused():
    old = a_signal(received_on=date(2021, 11, 20), subjects=(), links=())
    assert faults(old, today=date(2026, 11, 19)) == []
    assert faults(old, today=date(2026, 11, 20)) == [("/received_on", "term.past")]
    assert faults(old, today=date(2026, 11, 24)) == [("/received_on", "term.past")]


@pytest.mark.parametrize(
    ("received_on", "last"),
    [
        (date(2026, 6, 30), date(2026, 10, 30)),  # W19
        (date(2025, 10, 31), date(2026, 2, 28)),
        (date(2026, 8, 31), date(2026, 12, 31)),
        (date(2023, 10, 30), date(2024, 2, 29)),
    ],
)
def test_w19_an_informants_signal_comes_within_four_months(received_on, last):
    signal = from_an_informant(received_on=received_on)
    day_after = date.fromordinal(last.toordinal() + 1)
    late = [("/received_on", "informant.late")]
    assert faults(signal, today=last) == []
    assert faults(signal, today=day_after) == late
    assert faults(replace(signal, handed_in_on=last), today=day_after) == []
    assert faults(replace(signal, handed_in_on=day_after), today=day_after) == late
    assert faults(replace(signal, source=a_signal().source), today=day_after) == []


@pytest.mark.parametrize(
    ("necessity", "reasoned"),
    [
        ("His health is why the gift was a treatment abroad.", True),
        ("Het geschenk was een behandeling; zijn gezondheid is dus niet weg te laten.", True),
        ("Needed for insight into the theme as a whole.", False),
        ("Health. Needed for insight into the theme as a whole.", False),
        ("health data given", False),
        ("The police asked for this information again and again.", False),
    ],
)
def test_a_special_category_needs_its_reason(necessity, reasoned):
    subject = a_person(special_categories=(SpecialCategory.HEALTH,))
    found = faults(a_signal(necessity=necessity, subjects=(subject, an_organisation())))
    assert found == ([] if reasoned else [("/subjects/0/special_categories/0", "special.reason")])


def test_the_police_is_no_political_opinion():
    subject = a_person(special_categories=(SpecialCategory.POLITICAL,))
    signal = a_signal(
        necessity="De politie vroeg telkens weer om deze gegevens.", subjects=(subject, an_organisation())
    )
    assert faults(signal) == [("/subjects/0/special_categories/0", "special.reason")]


def test_all_faults_at_once_in_the_order_of_the_fields():
    signal = a_signal(
        received_on=date(2021, 1, 1),
        handed_in_on=date(2020, 1, 1),
        narrative=" ",
        subjects=(a_person(names=("a\nb",), born_on="1800"), a_person(same_as="x")),
        ports=("NLXXX",),
        links=(NewLink(from_ref="p1", to_ref="p1", kind=LinkKind.PAID),),
    )
    assert faults(signal) == [
        ("/handed_in_on", "date.order"),
        ("/received_on", "term.past"),
        ("/narrative", "text.blank"),
        ("/subjects/0/names/0", "text.control"),
        ("/subjects/0/born_on", "born.implausible"),
        ("/subjects/1/ref", "ref.duplicate"),
        ("/subjects/1/same_as", "same-as.form"),
        ("/ports/0", "port.unknown"),
        ("/links/0/to", "link.self"),
    ]


@given(signals())
def test_no_message_holds_what_was_handed_in(signal):
    secret = "Hendrikus"
    broken = replace(
        signal,
        narrative=f"{secret}\x00",
        subjects=(a_person("a", names=(f"{secret}\n",)), a_person("a", same_as=secret, born_on="0000")),
        ports=(secret,),
        links=(NewLink(from_ref=secret, to_ref=secret, kind=LinkKind.PAID),),
    )
    found = check(broken, today=TODAY, harbours=HARBOURS.__contains__, deadline=five_years, informant_months=4)
    assert len(found) >= 8
    assert not any(secret in str(fault) for fault in found)


def test_every_rule_speaks_both_languages_with_the_same_limits():
    assert len(RULES) > 30
    for rule in RULES.values():
        assert rule.en != rule.nl
        assert _limits(rule.en) == _limits(rule.nl)


def _limits(sentence):
    return sorted(part.split("}")[0] for part in sentence.split("{")[1:])


@settings(max_examples=40)
@given(signals(), signals())
def test_canonical_content_tells_signals_apart(one, other):
    assert (canonical(one) == canonical(other)) == (_without_order(one) == _without_order(other))


def _without_order(signal):
    return replace(
        signal,
        markings=tuple(sorted(signal.markings)),
        ports=tuple(sorted(signal.ports)),
        subjects=tuple(
            replace(subject, special_categories=tuple(sorted(subject.special_categories)))
            for subject in signal.subjects
        ),
    )


@given(signals())
def test_the_order_of_sets_does_not_count(signal):
    turned = replace(
        signal,
        markings=signal.markings[::-1],
        ports=signal.ports[::-1],
        subjects=tuple(
            replace(subject, special_categories=subject.special_categories[::-1]) for subject in signal.subjects
        ),
    )
    assert canonical(turned) == canonical(signal)


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": "desk-0002"},
        {"narrative": a_signal().narrative + " "},
        {"handed_in_on": date(2026, 11, 3)},
        {"subjects": a_signal().subjects[::-1]},
        {"links": a_signal().links[:1]},
        {"source": replace(a_signal().source, description="")},
        {"information_grade": None},
    ],
)
def test_other_content_has_another_canonical_form(changes):
    assert canonical(a_signal(**changes)) != canonical(a_signal())


@given(signals())
def test_the_document_is_signal_1(signal):
    assert list(signal_v1.VALIDATOR.iter_errors(document(signal))) == []


def test_nothing_is_shown():
    signal = a_signal()
    assert "Piet" not in repr(signal)
    assert "hotline" not in repr(signal.source)
    assert "H1" not in repr(signal.handling)


@pytest.mark.shared_data
def test_every_shared_signal_is_sound(shared_data):
    harbours = Harbours.load(shared_data / "ports" / "unlocode-2019-2-seaports.csv")
    lines = (shared_data / "signals" / "open.ndjson").read_bytes().splitlines()
    for signal in map(signal_v1.read, lines):
        found = check(signal, today=TODAY, harbours=harbours.resolves, deadline=five_years, informant_months=4)
        assert found == (), signal.reference
