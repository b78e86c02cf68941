"""Words of a text against the names of those who are removed."""

import pytest

from matching.removed import RemovedNames

GONE = ("Olivier van der Steenloper", "Delta Kranen B.V.", "Иван Петров", "Jan Pieters")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("Olivier van der Steenloper", True),
        ("Olivier Steenloper", True),
        ("O. Steenloper", True),
        ("van der Steenloper", True),
        ("Steenloper", True),
        ("STEENLOPER", True),
        ("Olivier Steenlopers", True),
        ("Ivan Petrov", True),
        ("Delta Kranen", True),
        ("Olivier", False),
        ("Olivier Vosmeer", False),
        ("Jan Steenloper", False),
        ("Jan", False),
        ("Jan Jansen", False),
        ("Terschelling", False),
        ("", False),
    ],
)
def test_a_name_is_found_as_people_write_it_and_a_given_name_alone_is_nobody(words: str, named: bool) -> None:
    assert RemovedNames(GONE).named(words) is named


def test_nothing_is_shown_and_nobody_is_in_none() -> None:
    names = RemovedNames(GONE)
    assert "Steenloper" not in repr(names)
    assert not RemovedNames(()).named("Steenloper")
    assert not RemovedNames(["", "..."]).named("Steenloper")
