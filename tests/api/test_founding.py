"""Folders in which no register is made."""

from pathlib import Path

import pytest

from api.founding import found
from api.settings import Settings
from register.clock import SystemClock
from register.errors import Invalid


def refused(home: Path, keys: Path) -> list[str]:
    with pytest.raises(Invalid) as caught:
        found(Settings(home=home, keys=keys), SystemClock(), rehearsal=False)
    return [fault.rule for fault in caught.value.faults]


def test_keys_that_end_up_inside_the_register_are_refused_however_they_are_named(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (tmp_path / "beside").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(home)
    assert refused(home, home / "keys") == ["folders.nested"]
    assert refused(home, tmp_path / "beside" / ".." / "home" / "keys") == ["folders.nested"]
    assert refused(home, tmp_path / "link" / "keys") == ["folders.nested"]
    assert refused(tmp_path / "link", home) == ["folders.nested"]
    assert list(home.iterdir()) == []


def test_folders_that_others_may_read_are_refused(tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    keys.chmod(0o750)
    assert refused(tmp_path / "home", keys) == ["folder.open"]
