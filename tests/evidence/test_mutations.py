"""One byte changed anywhere in a certificate, proof, checkpoint, tile or body is found: 12,000 random changes."""

import random

import pytest

from evidence.checkpoint import verify_checkpoint
from evidence.log import Log
from evidence.note import own_keys
from evidence.result import Status
from evidence.tiles import check_tiles
from evidence.verify import verify_certificate
from register.errors import Invalid, Tampered
from tests.evidence.builders import LOG_KEYS, ORIGIN, VERIFIER, issue


@pytest.fixture(scope="module")
def issued(tmp_path_factory):
    """Two tiles wide, so that there are full and partial tiles on two levels."""
    return issue(tmp_path_factory.mktemp("mutations"), before=255, after=45)


def changes(content, number, seed):
    """`number` copies of `content`, each with one byte, chosen at random, replaced by another."""
    choose = random.Random(seed)  # noqa: S311 - the same changes in every run
    for _ in range(number):
        position = choose.randrange(len(content))
        other = (content[position] + choose.randrange(1, 256)) % 256
        yield position, content[:position] + bytes([other]) + content[position + 1 :]


@pytest.mark.parametrize(("part", "number"), [("envelope", 4000), ("proof", 4000)])
def test_in_a_certificate_and_its_proof(issued, part, number):
    trust = issued.trust()
    assert verify_certificate(issued.evidence(), trust, VERIFIER).exit_code == 0
    missed = [
        position
        for position, content in changes(getattr(issued, part), number, part)
        if verify_certificate(issued.evidence(**{part: content}), trust, VERIFIER).status is not Status.INVALID
    ]
    assert missed == []


def test_in_a_checkpoint(issued):
    keys = own_keys(ORIGIN, LOG_KEYS)
    assert len(verify_checkpoint(issued.checkpoint, keys, VERIFIER)[1]) == 2
    missed = []
    for position, content in changes(issued.checkpoint, 1500, "checkpoint"):
        try:
            verify_checkpoint(content, keys, VERIFIER)
            missed.append(position)
        except Invalid:
            continue
    assert missed == []


def test_in_tiles_and_entries(issued):
    """By the published files alone, against the signed root."""
    size, root = 301, check_tiles(issued.folder, 301)
    paths = sorted(path for path in (issued.folder / "tile").rglob("*") if path.is_file())
    assert len(paths) == 5
    missed = []
    for path in paths:
        content = path.read_bytes()
        for position, changed in changes(content, 400, path.name):
            path.write_bytes(changed)
            try:
                if check_tiles(issued.folder, size) == root:
                    missed.append((path, position))
            except Tampered:
                continue
        path.write_bytes(content)
    assert missed == []
    assert check_tiles(issued.folder, size) == root


def test_in_bodies(issued):
    paths = sorted((issued.folder / "bodies").rglob("2026-*"))
    assert len(paths) == 3
    missed = []
    with Log.open(issued.folder) as log:
        for path in paths:
            content = path.read_bytes()
            for position, changed in changes(content, 170, path.name):
                path.write_bytes(changed)
                try:
                    log.check()
                    missed.append((path, position))
                except Tampered:
                    continue
            path.write_bytes(content)
        log.check()
    assert missed == []
