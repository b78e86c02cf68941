"""Pledges: whatever stamps are pledged, in whatever order, these turns and no others are put down."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from vault.strands import Strand, Strands, TrailKey


@given(st.lists(st.integers(0, 300), max_size=60))
def test_exactly_what_is_pledged_is_put_down(turns: list[int]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        key = TrailKey.create(folder)
        with Strand(folder, key) as strand:
            strand.pledge(f"{strand.name}:{turn}" for turn in turns)
            expected = {strand.name: tuple(sorted(set(turns)))} if turns else {}
            assert Strands(folder, key).pledged() == expected
