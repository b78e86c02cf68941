"""One byte changed anywhere in a certificate or a log is found; `python -m bench mutations` makes many more."""

import pytest

from tests.evidence.mutations import PARTS, attempt, made


@pytest.fixture(scope="module")
def issued(tmp_path_factory):
    return made(tmp_path_factory.mktemp("mutations"))


@pytest.mark.parametrize("part", PARTS)
def test_every_changed_byte_is_found(issued, part):
    found = attempt(issued, part, 300)
    assert found.changes >= 290
    assert found.missed == ()
