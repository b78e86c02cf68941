"""Writes tests/vectors/evidence/backup-manifests.json: `python -m tests.evidence.make_backup_vectors`.

Signatures are randomised, so each run writes other bytes; the committed file is kept and not made anew.
"""

import base64
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evidence import envelope
from evidence.manifest import Backup, draft_manifest, listed_files
from evidence.note import encode_vkeys, own_keys
from evidence.strict import canonical_json
from tests.evidence.builders import LOG_KEYS, ORIGIN, keys

FILES = {"graph/neo4j.dump.sealed": bytes(range(256)) * 3, "archive/2031-12/" + "a" * 32: b"\xa1" * 80, "empty": b""}


def vectors(folder: Path) -> dict[str, Any]:
    """One good backup, and bad ones with the exit code and reason each must give."""
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    stated = Backup(
        backup="1" * 32,
        register="2" * 32,
        origin=ORIGIN,
        made_at=datetime(2026, 11, 24, 3, tzinfo=UTC),
        key_destroyed_by="2026-12-29",
        log_size=8,
        log_root="ab" * 32,
        files=listed_files(folder, FILES),
    )
    payload = draft_manifest(stated)
    good = envelope.seal(payload, name=ORIGIN, signer=LOG_KEYS)
    form, statement = json.loads(good), json.loads(payload)
    predicate = statement["predicate"]

    def sealed(**changes: Any) -> bytes:
        return envelope.seal(canonical_json(statement | changes), name=ORIGIN, signer=LOG_KEYS)

    def stating(**changes: Any) -> bytes:
        return sealed(predicate=predicate | changes)

    name = "graph/neo4j.dump.sealed"
    manifests: dict[str, tuple[bytes, str, int]] = {
        "no envelope": (b"{}", "envelope.form", 51),
        "a key twice": (good[:-1] + b',"payload":""}', "json.duplicate-key", 51),
        "another payload type": (canonical_json(form | {"payloadType": "text/plain"}), "envelope.payload-type", 52),
        "base64 with white space": (canonical_json(form | {"payload": form["payload"] + " "}), "envelope.base64", 53),
        "signed by others": (envelope.seal(payload, name=ORIGIN, signer=keys(9)), "envelope.threshold", 54),
        "one signature of two": (
            canonical_json(form | {"signatures": form["signatures"][:1]}), "envelope.threshold", 54
        ),
        "a payload that was not signed": (
            canonical_json(form | {"payload": base64.b64encode(payload + b" ").decode()}), "envelope.signature", 54
        ),
        "a certificate's type": (sealed(predicateType="urn:theme-register:certificate:v1"), "shape.word", 55),
        "an unknown key": (stating(note=""), "shape.key-unknown", 55),
        "a size less": (stating(sizes=predicate["sizes"][1:]), "sense.sizes", 55),
        "a file twice": (
            sealed(subject=[statement["subject"][0], *statement["subject"][:2]]), "sense.order", 55
        ),
        "a day that is none": (stating(key_destroyed_by="2026-02-30"), "sense.date", 55),
        "a key that goes before": (stating(key_destroyed_by="2026-11-23"), "sense.order", 55),
        "another register": (stating(register={"id": "2" * 32, "origin": "other.example/log"}), "sense.origin", 55),
        "a file outside the folder": (
            sealed(subject=[statement["subject"][0] | {"name": "../x"}, *statement["subject"][1:]]), "shape.text", 55
        ),
    }  # fmt: skip
    files: dict[str, tuple[dict[str, bytes | None], str, int]] = {
        "a file missing": ({name: None}, "files.missing", 56),
        "a byte changed": ({name: FILES[name][:-1] + b"\0"}, "files.differ", 56),
        "a byte more": ({name: FILES[name] + b"\0"}, "files.size", 56),
        "two files exchanged": ({name: FILES["empty"], "empty": FILES[name]}, "files.size", 56),
        "a file that is not listed": ({"stray": b"x"}, "strays.file", 57),
    }
    bad: list[dict[str, Any]] = [
        {"name": title, "exit": code, "reason": rule, "manifest": _base64(content)}
        for title, (content, rule, code) in manifests.items()
    ]
    bad += [
        {"name": title, "exit": code, "reason": rule, "files": {key: _base64(each) for key, each in changed.items()}}
        for title, (changed, rule, code) in files.items()
    ]
    return {
        "vkey": encode_vkeys(own_keys(ORIGIN, LOG_KEYS)).decode(),
        "manifest": _base64(good),
        "files": {each: _base64(content) for each, content in FILES.items()},
        "bad": bad,
    }


def _base64(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode("ascii")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        text = json.dumps(vectors(Path(place)), indent=1) + "\n"
    (Path(__file__).parents[1] / "vectors" / "evidence" / "backup-manifests.json").write_text(text)
