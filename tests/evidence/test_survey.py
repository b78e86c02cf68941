"""`verify log`: a whole log by its files; each thing that can be wrong with it has an exit code and a reason."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evidence.checkpoint import CheckpointSigner, publish, sign_checkpoint, with_cosignatures
from evidence.log import Log
from evidence.note import encode_vkeys
from evidence.result import Finding, Status
from evidence.shelves import LogEntry
from evidence.survey import LOG_CHECKS, verify_log
from evidence.trust import Trust
from evidence.words import explain
from register.audit import Act, Entry, Term
from tests.evidence.builders import LOG_KEYS, LOGGED, ORIGIN, VERIFIER, entries, keys, witness

NUMBER = 600


class Kept:
    """A log in a folder with its signer."""

    def __init__(self, folder, origin=ORIGIN, signer=LOG_KEYS):
        self.folder = folder / "log"
        self.signer = CheckpointSigner(origin=origin, signer=signer, verifier=VERIFIER, memory=folder / "memory")
        with Log.open(self.folder):
            publish(self.folder, self.signer.begin(at=LOGGED))
        (self.folder / "vkey").write_bytes(encode_vkeys(self.signer.keys))
        self.trust = Trust.of_vkeys((self.folder / "vkey").read_bytes())

    def add(self, made):
        with Log.open(self.folder) as log:
            log.append(made)
            publish(self.folder, self.signer.sign(log, at=LOGGED))
        return (self.folder / "checkpoint").read_bytes()

    def delete(self, shelf, *, at, years=5, listed=None, count=None):
        """Delete a month's bodies as the register does: list, entry, deletion."""
        with Log.open(self.folder) as log:
            content, number = log.list_gone(shelf)
            term, month = shelf.split("/")
            detail = {"term": term, "month": month, "sha256": hashlib.sha256(listed or content).hexdigest()}
            entry = Entry(
                at=at, actor="system", role="system", act=Act.BODIES_DELETED, count=count or number,
                detail={**detail, "years": years},
            )  # fmt: skip
            log.append([logged(entry)])
            publish(self.folder, self.signer.sign(log, at=LOGGED))
            log.delete_bodies(shelf)

    def verify(self, **more):
        return verify_log(self.folder, more.pop("trust", self.trust), VERIFIER, **more)


def logged(entry):
    return LogEntry(
        id=entry.id,
        at=entry.at,
        salt=bytes.fromhex(entry.salt),
        body=entry.body(),
        term=Term.of(entry.act, entry.outcome),
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    kept = Kept(tmp_path_factory.mktemp("survey"))
    made = entries(NUMBER)
    kept.add(made[:3])
    kept.early = kept.add(made[3:300])
    kept.add(made[300:])
    return kept


@pytest.fixture
def copy(whole, tmp_path):
    """A copy that a test may spoil."""
    shutil.copytree(whole.folder, tmp_path / "log")
    made = object.__new__(Kept)
    made.folder, made.trust, made.early = tmp_path / "log", whole.trust, whole.early
    return made


def reason(found):
    """Exit code and reason of the check that failed."""
    failed = [check for check in found.checks if check.finding is Finding.FAILED]
    assert found.status is Status.INVALID
    assert found.exit_code == 30 + failed[0].number
    assert found.limits == ()
    return failed[0].code, failed[0].reason


def flip(path, place=0):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_a_whole_log_is_valid_though_nobody_witnessed_it(whole):
    counted = []
    found = whole.verify(since=whole.early, advance=counted.append)
    assert (found.status, found.exit_code) == (Status.NOT_WITNESSED, 0)
    assert (found.size, found.bodies, found.gone) == (NUMBER, NUMBER, 0)
    assert sum(counted) == 2 * NUMBER
    assert [check.number for check in found.checks] == list(LOG_CHECKS)
    assert {check.code: check.finding for check in found.checks if check.finding is not Finding.PASSED} == {
        "witnesses": Finding.NOT_DONE
    }
    assert set(found.limits) == {"complete-trail", "truth-of-entries", "not-witnessed"}


def test_an_empty_log_is_a_whole_one(tmp_path):
    assert Kept(tmp_path).verify().exit_code == 0


def test_with_witnesses_it_is_seen(copy):
    path = copy.folder / "checkpoint"
    at = LOGGED + timedelta(seconds=1)
    from evidence.checkpoint import Checkpoint
    from evidence.note import Note

    head = Checkpoint.parse(Note.parse(path.read_bytes()).text)
    path.write_bytes(with_cosignatures(path.read_bytes(), sign_checkpoint(head, [witness(3)], keys(3), at=at)))
    asked = replace(copy.trust, witnesses=(witness(3), witness(4)), quorum=1)
    assert (copy.verify(trust=asked).status, copy.verify(trust=asked).exit_code) == (Status.VALID, 0)
    more = copy.verify(trust=replace(asked, quorum=2))
    assert (more.status, more.exit_code) == (Status.NOT_WITNESSED, 32)


SPOILT = {
    "no checkpoint": (lambda f: (f / "checkpoint").unlink(), ("checkpoint", "checkpoint.absent")),
    "checkpoint altered": (lambda f: flip(f / "checkpoint", len(ORIGIN) + 1), ("checkpoint", "checkpoint.signature")),
    "bundle altered": (lambda f: flip(f / "tile/entries/000", 40), ("tiles", "tiles.differ")),
    "bundle's length altered": (lambda f: flip(f / "tile/entries/001", 34), ("entries", "entries.form")),
    "bundle missing": (lambda f: (f / "tile/entries/001").unlink(), ("entries", "entries.missing")),
    "bundle cut": (lambda f: os.truncate(f / "tile/entries/001", 8670), ("entries", "entries.missing")),
    "tile altered": (lambda f: flip(f / "tile/0/001", 700), ("tiles", "tiles.differ")),
    "upper tile altered": (lambda f: flip(f / "tile/1/000.p/2", 33), ("tiles", "tiles.differ")),
    "tile missing": (lambda f: (f / "tile/1/000.p/2").unlink(), ("tiles", "tiles.missing")),
    "older partial altered": (lambda f: flip(f / "tile/1/000.p/1", 3), ("tiles", "tiles.differ")),
    "body altered": (lambda f: flip(f / "bodies/standard/2026-11", 60), ("bodies", "bodies.differ")),
    "salt in capitals": (
        lambda f: _replace(f / "bodies/standard/2026-11", 1, lambda line: line[:20].upper() + line[20:]),
        ("bodies", "bodies.form"),
    ),
    "body missing": (
        lambda f: _replace(f / "bodies/standard/2026-11", 3, lambda _: b""), ("deletions", "deletions.missing"),
    ),
    "body twice": (
        lambda f: _replace(f / "bodies/standard/2026-11", 3, lambda line: line * 2), ("bodies", "bodies.form"),
    ),
    "month missing": (lambda f: (f / "bodies/standard/2026-12").unlink(), ("deletions", "deletions.missing")),
    "something else there": (lambda f: (f / "bodies/standard/notes").write_text("x"), ("bodies", "bodies.stray")),
    "month said to be deleted": (
        lambda f: (f / "bodies/standard/2026-12").rename(f / "bodies/standard/2026-12.gone"),
        ("deletions", "deletions.unlogged"),
    ),
}  # fmt: skip


def _replace(path, number, change):
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number] = change(lines[number])
    path.write_bytes(b"".join(lines))


@pytest.mark.parametrize(("spoil", "expected"), SPOILT.values(), ids=SPOILT)
def test_what_is_wrong_is_named(copy, spoil, expected):
    spoil(copy.folder)
    assert reason(copy.verify()) == expected


def test_another_logs_checkpoint_is_refused(copy, tmp_path):
    other = Kept(tmp_path / "other", origin="register.example/other")
    (copy.folder / "checkpoint").write_bytes((other.folder / "checkpoint").read_bytes())
    assert reason(copy.verify())[0] == "checkpoint"


def test_a_rewritten_log_is_found_by_who_kept_a_checkpoint(copy, tmp_path):
    """Signed by the right keys, whole in itself, and another history."""
    for number, expected in ((300, "earlier.forked"), (20, "earlier.went-backwards")):
        forged = Kept(tmp_path / str(number))
        forged.add(entries(number)[::-1])
        assert forged.verify().exit_code == 0
        assert reason(forged.verify(since=copy.early)) == ("earlier", expected)
    assert copy.verify(since=copy.early).exit_code == 0


def test_entries_that_do_not_give_the_signed_root_are_named(copy, tmp_path):
    """Bundles and tiles that agree with each other, under a checkpoint of another tree."""
    forged = Kept(tmp_path / "forged")
    forged.add(entries(NUMBER)[::-1])
    (forged.folder / "checkpoint").write_bytes((copy.folder / "checkpoint").read_bytes())
    assert reason(forged.verify()) == ("root", "root.differs")


def test_bodies_deleted_after_their_term_are_counted_and_nothing_is_wrong(tmp_path):
    kept = Kept(tmp_path)
    kept.add(entries(NUMBER))
    kept.delete("standard/2026-10", at=datetime(2031, 11, 1, tzinfo=UTC))
    found = kept.verify()
    assert (found.exit_code, found.bodies, found.gone) == (0, NUMBER - 200 + 1, 200)
    assert "bodies-gone" in found.limits
    with Log.open(kept.folder) as log:
        assert log.body(0) is None
        assert log.check() == log.root
    for language, words in (("en", "200 were deleted"), ("nl", "200 zijn na hun termijn gewist")):
        assert words in "\n".join(explain(found, language))


def test_bodies_deleted_before_their_term_or_under_another_list_are_found(tmp_path):
    for name, change in (
        ("a day early", {"at": datetime(2031, 10, 31, 23, 59, tzinfo=UTC)}),
        ("another list", {"at": datetime(2031, 11, 1, tzinfo=UTC), "listed": b"1\n"}),
    ):
        kept = Kept(tmp_path / name.replace(" ", "-"))
        kept.add(entries(30))
        kept.delete("standard/2026-10", **change)
        assert reason(kept.verify()) == ("deletions", "deletions.unlogged"), name


def test_without_bodies_a_strangers_copy_is_checked(copy):
    shutil.rmtree(copy.folder / "bodies")
    assert reason(copy.verify()) == ("deletions", "deletions.missing")
    found = copy.verify(bodies=False)
    assert found.exit_code == 0
    assert "bodies" in found.limits


def test_a_log_may_grow_while_it_is_read(whole, copy):
    """Files of a later size, and a line only begun, belong to no entry under the checkpoint."""
    with Log.open(copy.folder) as log:
        log.append(entries(NUMBER + 40)[NUMBER:])
    with open(copy.folder / "bodies/standard/2026-12", "ab") as file:
        file.write(b"64")
    assert copy.verify().exit_code == 0


def test_every_reason_has_words_in_both_languages(copy):
    for language in ("en", "nl"):
        lines = explain(copy.verify(), language)
        assert len(lines) >= 1 + len(LOG_CHECKS)
    flip(copy.folder / "tile/0/001", 700)
    assert any("tiles.differ" in line for line in explain(copy.verify(), "nl"))


def test_the_command_says_it_and_exits_by_it(whole, copy):
    def run(*arguments):
        command = [sys.executable, "-m", "api.cli", "verify", "log", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])

    since = copy.folder.parent / "kept"
    since.write_bytes(copy.early)
    good = run(copy.folder, "--since", since, "--vkey", whole.folder / "vkey", "--json")
    assert good.returncode == 0, good.stderr
    told = json.loads(good.stdout)
    assert (told["size"], told["bodies"], told["keys_from_bundle"]) == (NUMBER, NUMBER, False)
    assert "VALID, BUT NOT WITNESSED" in run(copy.folder).stdout
    flip(copy.folder / "tile/0/001", 700)
    bad = run(copy.folder, "--language", "nl")
    assert bad.returncode == 34
    assert bad.stdout.startswith("ONGELDIG")
