"""Notes, verifier keys, checkpoints, and the signer that never contradicts itself."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.checkpoint import (
    Checkpoint,
    CheckpointSigner,
    publish,
    sign_checkpoint,
    verify_checkpoint,
    with_cosignatures,
)
from evidence.log import Log
from evidence.merkle import EMPTY_ROOT
from evidence.note import (
    Note,
    NoteSignature,
    SignatureType,
    VerifierKey,
    check_name,
    encode_vkeys,
    own_keys,
    parse_vkeys,
)
from register.errors import Conflict, Invalid, Tampered
from tests.evidence.builders import LOG_KEYS, LOGGED, ORIGIN, VERIFIER, entries, keys, witness

# The example of C2SP signed-note, "Verifier keys".
PUBLISHED_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
PUBLISHED_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def test_the_published_note_verifies_under_the_published_key():
    key, note = VerifierKey.parse(PUBLISHED_VKEY), Note.parse(PUBLISHED_NOTE.encode())
    assert key.text() == PUBLISHED_VKEY
    assert note.encode() == PUBLISHED_NOTE.encode()
    (line,) = note.signatures
    assert (line.name, line.key_id) == (key.name, key.id)
    assert VERIFIER.verifies("ed25519", key.public_key, note.text.encode(), line.content)
    assert not VERIFIER.verifies("ed25519", key.public_key, note.text.encode() + b" ", line.content)


# The example of C2SP tlog-cosignature: its key is not published, so only its form can be checked.
PUBLISHED_CHECKPOINT = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)


def test_the_published_checkpoint_is_read_and_trusted_for_nothing():
    checkpoint, signatures = verify_checkpoint(PUBLISHED_CHECKPOINT.encode(), [witness(3)], VERIFIER, threshold=0)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert signatures == ()
    for threshold in (1, None):
        with pytest.raises(Invalid) as caught:
            verify_checkpoint(PUBLISHED_CHECKPOINT.encode(), [witness(3)], VERIFIER, threshold=threshold)
        assert caught.value.faults[0].rule == "checkpoint.threshold"
    line = Note.parse(PUBLISHED_CHECKPOINT.encode()).signatures[1]
    assert int.from_bytes(line.content[:8], "big") == 1679315147


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "note.text"),
        ("no signatures\n", "note.text"),
        ("text\n\n", "note.text"),
        ("text\n\n— a AAAAAAA=", "note.text"),
        ("tab\there\n\n— a AAAAAAA=\n", "note.text"),
        ("text\r\n\n— a AAAAAAA=\n", "note.text"),
        ("text\n\n- a AAAAAAA=\n", "note.signature-line"),
        ("text\n\n— a b AAAAAAA=\n", "note.signature-line"),
        ("text\n\n— a+b AAAAAAA=\n", "note.signature-line"),
        ("text\n\n— a\u00a0b AAAAAAA=\n", "note.signature-line"),
        ("text\n\n— a AAAA\n", "note.signature-line"),
        ("text\n\n— a AAAAAAB=\n", "note.signature-line"),
        ("text\n\n— a AAAAAAA\n", "note.signature-line"),
        ("text\n\n" + "— a AAAAAAA=\n" * 65, "note.signature-line"),
        ("text\n\n— a " + "A" * 300_000 + "\n", "note.size"),
    ],
)
def test_malformed_notes_are_refused(text, rule):
    with pytest.raises(Invalid) as caught:
        Note.parse(text.encode())
    assert caught.value.faults[0].rule == rule


def test_a_note_that_is_not_utf8_is_refused():
    with pytest.raises(Invalid, match="UTF-8"):
        Note.parse(b"\xff\n\n\xe2\x80\x94 a AAAAAAA=\n")


def test_a_note_may_hold_blank_lines_and_sixteen_signatures():
    note = Note.parse(b"one\n\ntwo\n\n" + "— a AAAAAAA=\n".encode() * 16)
    assert (note.text, len(note.signatures)) == ("one\n\ntwo\n", 16)


@pytest.mark.parametrize(
    "text",
    [
        "",
        PUBLISHED_VKEY.replace("530d903a", "530d903b"),
        PUBLISHED_VKEY.replace("530d903a", "530D903A"),
        PUBLISHED_VKEY.replace("+A", "+B"),
        PUBLISHED_VKEY[:-4],
        PUBLISHED_VKEY + " ",
        "example.com/foo+530d903a",
    ],
)
def test_damaged_verifier_keys_are_refused(text):
    with pytest.raises(Invalid) as caught:
        VerifierKey.parse(text)
    assert caught.value.faults[0].rule == "vkey"


def test_a_vkey_file_holds_keys_and_none_twice():
    both = own_keys(ORIGIN, LOG_KEYS)
    assert [key.type for key in both] == [SignatureType.ED25519, SignatureType.ML_DSA_44_COSIGNATURE]
    assert parse_vkeys(encode_vkeys(both)) == both
    for content in (b"", b"\xff", encode_vkeys(both[:1] * 2), encode_vkeys(both) + b"\n"):
        with pytest.raises(Invalid):
            parse_vkeys(content)


@pytest.mark.parametrize("name", ["", "with space", "a+b", "a\u2003b", "a\nb", "a\x00b", "x" * 256])
def test_names_no_key_can_have(name):
    with pytest.raises(Invalid):
        check_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "o\n1\n",
        "o\n1\nAAAA\n",
        "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "o\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "o\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "o\n0\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "o\n99999999999999999\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nextension\n",
    ],
)
def test_malformed_checkpoints_are_refused(text):
    with pytest.raises(Invalid) as caught:
        Checkpoint.parse(text)
    assert caught.value.faults[0].rule == "checkpoint.text"


@settings(deadline=None)
@given(st.integers(1, 10**15), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_reads_back(size, root):
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=root)
    assert Checkpoint.parse(checkpoint.text()) == checkpoint


def test_what_ml_dsa_signs_is_the_structure_of_tlog_cosignature():
    """label, name, time, origin, start 0, end, root; each name after one byte of length."""
    heard = []

    class Listening:
        public_keys = LOG_KEYS.public_keys

        def sign(self, algorithm, message):
            heard.append((algorithm, message))
            return b""

    checkpoint = Checkpoint(origin="o.example", size=5, root=b"\x07" * 32)
    sign_checkpoint(checkpoint, [witness(3)], Listening(), at=datetime(1970, 1, 2, tzinfo=UTC))
    expected = (
        b"subtree/v1\n\0" + b"\x11witness.example/3" + (86400).to_bytes(8, "big") + b"\x09o.example"
        + bytes(8) + (5).to_bytes(8, "big") + b"\x07" * 32
    )  # fmt: skip
    assert heard == [("ml-dsa-44", expected)]


@pytest.fixture
def log(tmp_path):
    with Log.open(tmp_path / "log") as opened:
        yield opened


@pytest.fixture
def signer(tmp_path):
    made = CheckpointSigner(origin=ORIGIN, signer=LOG_KEYS, verifier=VERIFIER, memory=tmp_path / "keys" / "signed")
    (tmp_path / "keys").mkdir()
    made.begin(at=LOGGED)
    return made


def test_a_growing_log_is_signed_twice_over(log, signer, tmp_path):
    for size in (0, 1, 5, 5, 300):
        log.append(entries(size))
        note = signer.sign(log, at=LOGGED)
        publish(tmp_path / "log", note)
        checkpoint, signatures = verify_checkpoint(
            (tmp_path / "log" / "checkpoint").read_bytes(), signer.keys, VERIFIER
        )
        assert (checkpoint.size, checkpoint.root) == log.head() == (signer.last().size, signer.last().root)
        assert [(each.key, each.at) for each in signatures] == [(signer.keys[0], None), (signer.keys[1], LOGGED)]
    assert (tmp_path / "keys" / "signed").stat().st_mode & 0o777 == 0o600


def test_a_log_is_begun_once(signer):
    with pytest.raises(Conflict):
        signer.begin(at=LOGGED)
    assert signer.last().root == EMPTY_ROOT


class Fixed:
    """A tree as somebody claims it to be."""

    def __init__(self, size, root, proof=()):
        self._head, self._proof = (size, root), proof

    def head(self):
        return self._head

    def consistency(self, old, new):
        return self._proof


def test_the_signer_refuses_whatever_contradicts_what_it_signed(log, signer, tmp_path):
    log.append(entries(5))
    signer.sign(log, at=LOGGED)
    with Log.open(tmp_path / "other") as other:
        other.append([replace(entries(1)[0], id="f" * 32, body=b"{}"), *entries(9)[1:]])
        forked = Fixed(9, other.root, other.consistency(5, 9))
    for tree, code in (
        (Fixed(4, log.root_at(4)), "log.went-backwards"),
        (Fixed(0, EMPTY_ROOT), "log.went-backwards"),
        (Fixed(5, bytes(32)), "log.forked"),
        (forked, "log.inconsistent"),
        (Fixed(6, bytes(32)), "log.inconsistent"),
    ):
        with pytest.raises(Tampered) as caught:
            signer.sign(tree, at=LOGGED)
        assert caught.value.code == code
    assert signer.last().size == 5
    log.append(entries(9))
    assert Checkpoint.parse(Note.parse(signer.sign(log, at=LOGGED)).text).size == 9


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes().replace(b"\n5\n", b"\n4\n")),
        lambda path: path.write_bytes(path.read_bytes().rpartition(b"\xe2")[0]),
    ],
)
def test_a_signer_without_its_memory_signs_nothing(log, signer, tmp_path, damage):
    log.append(entries(5))
    signer.sign(log, at=LOGGED)
    damage(tmp_path / "keys" / "signed")
    with pytest.raises(Tampered) as caught:
        signer.sign(log, at=LOGGED)
    assert caught.value.code == "checkpoint.memory"


def test_the_memory_of_another_log_is_refused(log, signer, tmp_path):
    (tmp_path / "theirs").mkdir()
    theirs = CheckpointSigner(origin=ORIGIN, signer=keys(2), verifier=VERIFIER, memory=tmp_path / "theirs" / "signed")
    (tmp_path / "keys" / "signed").write_bytes(theirs.begin(at=LOGGED))
    with pytest.raises(Tampered):
        signer.sign(log, at=LOGGED)


def test_cosignatures_of_both_kinds_verify_and_commit_to_what_they_should():
    checkpoint = Checkpoint(origin=ORIGIN, size=5, root=b"\x01" * 32)
    own = own_keys(ORIGIN, LOG_KEYS)
    note = Note(text=checkpoint.text(), signatures=sign_checkpoint(checkpoint, own, LOG_KEYS, at=LOGGED)).encode()
    at = LOGGED + timedelta(seconds=3)
    seen = [witness(3), witness(4, SignatureType.ED25519_COSIGNATURE)]
    for seed, key in ((3, seen[0]), (4, seen[1])):
        note = with_cosignatures(note, sign_checkpoint(checkpoint, [key], keys(seed), at=at))
    _, signatures = verify_checkpoint(note, [*own, *seen], VERIFIER)
    assert [each.at for each in signatures] == [None, LOGGED, at, at]
    # The time is signed: an earlier one does not verify.
    parsed = Note.parse(note)
    for i in (1, 2, 3):
        lines = list(parsed.signatures)
        lines[i] = replace(lines[i], content=(1).to_bytes(8, "big") + lines[i].content[8:])
        with pytest.raises(Invalid) as caught:
            verify_checkpoint(Note(text=parsed.text, signatures=tuple(lines)).encode(), [*own, *seen], VERIFIER)
        assert caught.value.faults[0].rule == "checkpoint.signature"


@pytest.mark.parametrize("content", [b"\xff" * 8 + bytes(2420), b"\x00" * 7, b"\x00" * 2428])
def test_a_signature_line_of_nonsense_is_refused(content):
    checkpoint = Checkpoint(origin=ORIGIN, size=5, root=b"\x01" * 32)
    key = own_keys(ORIGIN, LOG_KEYS)[1]
    line = NoteSignature(name=key.name, key_id=key.id, content=content)
    with pytest.raises(Invalid, match="does not hold"):
        verify_checkpoint(Note(text=checkpoint.text(), signatures=(line,)).encode(), [key], VERIFIER)


def test_errors_quote_nothing_that_was_read():
    for text in ("SECRET", "SECRET\n\n— SECRET SECRET!\n"):
        with pytest.raises(Invalid) as caught:
            Note.parse(text.encode())
        assert not re.search("SECRET", json.dumps([str(caught.value), repr(caught.value)]))
