"""Log, signatures and certificates of one register, from `evidence`, `vault.signing` and the graph's audit trail.

The log is opened for each piece of work and closed again: the keeper's sealing child and a run's second child take
turns, each waiting for the other a moment.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from api.alarm import Alarm
from api.watch import genuine
from evidence.checkpoint import WITNESSED, Checkpoint, CheckpointSigner, Signature, publish, verify_checkpoint
from evidence.durable import sync_folders, write_durably
from evidence.envelope import decode, digest, parse_form, seal
from evidence.log import Log
from evidence.note import Signer, Verifier, encode_vkeys
from evidence.proof import Proof, prove
from evidence.shelves import BODIES, GONE, LogEntry, Shelf, parse_gone, shelves
from evidence.statement import draft
from evidence.succession import SUCCESSION, TRUST, read_former, trust_file
from graph.trail import AuditTrail, Kept
from register.audit import Act, Entry, Term
from register.errors import Invalid, NotFound, Tampered, Unavailable
from register.ids import EntryId, is_id, mint
from register.runs import Filed
from vault.strands import Strands

CERTIFICATES: Final = "certificates"
ENVELOPE: Final = "certificate.json"
PROOF: Final = "certificate.tlog-proof"
VKEY: Final = "vkey"
ISSUE: Final = "issue.json"
"""The signed envelope with its entry for the log: both are decided at once, by whoever lays them down first."""

BATCH: Final = 1000
KEPT_YEARS: Final = 5
"""How long bodies that tighten nothing are kept: this register's policy, no statute says so (docs/retention.md)."""

_WAIT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Logbook:
    """Seals the trail into the log, signs checkpoints, and issues certificates.

    Attributes:
        home: the register's folder; the log is in `log`, certificates are in `certificates`.
        policy: gives the bytes of the policy file with a SHA-256; that of a run is filed with its certificate.
        now: gives the present instant, for the signatures.
        strands: what makes an entry of the trail genuine.
        alarm: rung when the log or the trail is not what it should be.
    """

    home: Path
    origin: str
    signer: Signer
    verifier: Verifier
    memory: Path
    trail: AuditTrail
    policy: Callable[[str], bytes]
    now: Callable[[], datetime]
    strands: Strands
    alarm: Alarm

    @property
    def log_folder(self) -> Path:
        """Where the log lies."""
        return self.home / "log"

    def head(self) -> Checkpoint | None:
        """Return the newest published checkpoint, verified, or None when there is none.

        Raises:
            Invalid: it does not verify.
        """
        found = self._published()
        return None if found is None else found[0]

    def sealed_at(self) -> datetime | None:
        """Return when the newest published checkpoint says it was signed (aware, UTC), or None when there is none.

        Raises:
            Invalid: it does not verify.
        """
        found = self._published()
        return None if found is None else max((one.at for one in found[1] if one.at is not None), default=None)

    def _published(self) -> tuple[Checkpoint, tuple[Signature, ...]] | None:
        path = self.log_folder / "checkpoint"
        keys = self.checkpoints().keys
        try:
            return verify_checkpoint(path.read_bytes(), keys, self.verifier) if path.exists() else None
        except Invalid:
            if keys == self.checkpoints().keys:
                raise
        return self._published()  # others took their place meanwhile

    def publish_keys(self) -> None:
        """Once keys were replaced: bring `vkey` and the trust file up to date with those that sign now.

        What was witnessed is signed by the former keys: it is put beside theirs, and witnesses are asked anew.
        """
        former, present = read_former(self.memory.parent), self.checkpoints().keys
        vkey = encode_vkeys(present)
        if former and (self.log_folder / VKEY).read_bytes() != vkey:
            with suppress(FileNotFoundError):
                (self.log_folder / WITNESSED).replace(self.log_folder / SUCCESSION / f"{len(former):04}.{WITNESSED}")
            write_durably(self.log_folder, [(TRUST, trust_file(present, former)), (VKEY, vkey)])

    def begin(self) -> None:
        """Make the empty log with its first checkpoint and its public keys, once, when a register is made.

        Raises:
            Conflict: it has been begun before.
        """
        checkpoints = self.checkpoints()
        with self._log():
            publish(self.log_folder, checkpoints.begin(at=self.now()))
            write_durably(self.log_folder, [(VKEY, encode_vkeys(checkpoints.keys))])

    def seal_trail(self) -> int:
        """Copy the audit entries that are not yet in the log there, and sign it; return how many.

        Raises:
            Unavailable: the log is in use, or the graph is not there. Tampered: the log went backwards or forked.
        """
        waiting = self.trail.unlogged(BATCH)
        if not waiting:
            return 0
        count = 0
        try:
            with self._log() as log:
                while waiting:
                    count += self._seal(log, waiting)
                    waiting = self.trail.unlogged(BATCH)
        except Tampered as wrong:
            self.alarm.ring(wrong.code, self.now())
            raise
        return count

    def end_terms(self, today: date) -> int:
        """Delete bodies whose term is over on civil date `today`, and their entries in the graph; return how many.

        Each month of bodies is listed, the list is named by an entry of the log, then the bodies go. Interrupted
        anywhere, it is taken up at the next call. The ledger's bodies stay: copies of the graph may need them.

        Raises:
            Unavailable: the log is in use or could not be written, or the graph is not there.
        """
        count = 0
        for shelf in shelves(self.log_folder):
            if shelf.kept and shelf.term == Term.STANDARD and shelf.over_after(KEPT_YEARS) <= today:
                count += self._end(shelf)
            elif shelf.gone and not shelf.kept:
                self.trail.forget(parse_gone((self.log_folder / BODIES / f"{shelf.name}{GONE}").read_bytes()))
        return count

    def _end(self, shelf: Shelf) -> int:
        with self._log() as log:
            listed, count = log.list_gone(shelf.name)
        term, month = shelf.name.split("/")
        detail: dict[str, str | int] = {"term": term, "month": month, "years": KEPT_YEARS}
        detail["sha256"] = hashlib.sha256(listed).hexdigest()
        entry = Entry(at=self.now(), actor="system", role="system", act=Act.BODIES_DELETED, count=count, detail=detail)
        self.trail.append([entry])
        self.seal_trail()
        with self._log() as log:
            if log.find(entry.id) is None:
                raise Unavailable("bodies.unlogged", "the log does not hold the entry about these bodies yet")
            log.delete_bodies(shelf.name)
        self.trail.forget(parse_gone(listed))
        return count

    def _seal(self, log: Log, waiting: Sequence[Kept]) -> int:
        terms = {one.node: genuine(one, self.strands.key) for one in waiting}
        good = [(one, term) for one in waiting if (term := terms[one.node])]
        if len(good) < len(waiting):
            self.trail.set_aside([one for one in waiting if terms[one.node] is None])
            self.alarm.ring("trail.forged", self.now())
        entries = [LogEntry(id=one.id, at=one.at, salt=one.salt, body=one.body, term=term) for one, term in good]
        places = log.append(entries)
        self.publish_keys()
        publish(self.log_folder, self.checkpoints().sign(log, at=self.now()))
        self.trail.mark_logged(
            {one.id: place for (one, _), place in zip(good, places, strict=True)}, [one for one, _ in good]
        )
        return len(good)

    def certify(
        self, body: Mapping[str, Any], *, at: datetime, witness: Callable[[Sequence[Entry]], None] | None = None
    ) -> Filed:
        """Sign the predicate `body`, log its digest, and file it with its proof; filed already: return what was filed.

        Interrupted anywhere, it is taken up where it stood: the envelope is signed once, and its entry logged once. Of
        two keepers that come here, one of which slept past its lease, the later one finds what the first laid down.
        `witness` writes the entry, and refuses where the run is no longer ours to certify: then nothing is issued.
        """
        certificate = str(body["certificate"]["id"])
        folder = self._folder(certificate)
        if not (folder / ISSUE).exists():
            self._lay_down(certificate, [(ISSUE, self._issue(body, at))])
        envelope, entry = _decoded((folder / ISSUE).read_bytes())
        if not (folder / PROOF).exists():
            self._lay_down(certificate, [("policy.toml", self.policy(body["policy"]["sha256"])), (ENVELOPE, envelope)])
            (witness or self.trail.append)([entry])
            self.seal_trail()
            with self._log() as log:
                index = log.find(entry.id)
                if index is None:
                    raise Unavailable("certificate.unlogged", "the log does not hold the certificate's entry yet")
                proof = prove(log, index, (self.log_folder / "checkpoint").read_bytes())
            vkey = (self.log_folder / VKEY).read_bytes()
            self._lay_down(certificate, [(VKEY, vkey), (PROOF, proof.encode())])
        return self._filed(certificate)

    def previous(self) -> Filed | None:
        """Return the newest certificate filed, or None before the first."""
        return max(self.all(), key=lambda one: one.sequence, default=None)

    def all(self) -> tuple[Filed, ...]:
        """Return every certificate filed, in no order."""
        folders = self.home / CERTIFICATES
        names = sorted(one.name for one in folders.iterdir()) if folders.exists() else []
        return tuple(self._filed(name) for name in names if (folders / name / PROOF).exists())

    def listed(self) -> tuple[Mapping[str, object], ...]:
        """Return the certificates filed, newest first, in values of JSON."""
        filed = sorted(self.all(), key=lambda one: one.sequence, reverse=True)
        return tuple(
            {
                "certificate": one.certificate,
                "sequence": one.sequence,
                "sha256": one.digest,
                "log_index": one.index,
                "issued_at": self.predicate(one.certificate)["times"]["ended_at"],
            }
            for one in filed
        )

    def files(self, certificate: str) -> Mapping[str, str] | None:
        """Return the files of one certificate by name, as a stranger needs them, or None."""
        if not is_id(certificate) or not (self._folder(certificate) / PROOF).exists():
            return None
        folder = self._folder(certificate)
        names = (ENVELOPE, PROOF, "policy.toml", VKEY)
        return {name: (folder / name).read_text("utf-8") for name in names}

    def predicate(self, certificate: str) -> dict[str, Any]:
        """Return what a filed certificate states. Raises NotFound."""
        folder = self._folder(certificate)
        if not is_id(certificate) or not (folder / ENVELOPE).exists():
            raise NotFound
        envelope = decode(parse_form((folder / ENVELOPE).read_bytes()))
        found: dict[str, Any] = json.loads(envelope.payload)["predicate"]
        return found

    def _issue(self, body: Mapping[str, Any], at: datetime) -> bytes:
        envelope = seal(draft(body), name=self.origin, signer=self.signer)
        entry = Entry(
            at=at,
            actor="system",
            role="system",
            act=Act.CERTIFICATE_ISSUED,
            targets=(str(body["certificate"]["id"]),),
            detail={"sha256": digest(envelope)},
        )
        return _encoded(envelope, entry)

    def _lay_down(self, certificate: str, files: Sequence[tuple[str, bytes]]) -> None:
        """Write files of a certificate durably, in this order; one that is there stays as it is, whoever wrote it."""
        folder = self._folder(certificate)
        for name, content in files:
            fresh = f".{name}.{mint()}"
            write_durably(self.home, [(f"{CERTIFICATES}/{certificate}/{fresh}", content)])
            with suppress(FileExistsError):
                os.link(folder / fresh, folder / name)
            (folder / fresh).unlink()
            sync_folders(folder, [name])

    def _folder(self, certificate: str) -> Path:
        return self.home / CERTIFICATES / certificate

    def _filed(self, certificate: str) -> Filed:
        folder = self._folder(certificate)
        proof = Proof.parse((folder / PROOF).read_bytes())
        return Filed(
            certificate=certificate,
            sequence=int(self.predicate(certificate)["certificate"]["sequence"]),
            digest=digest((folder / ENVELOPE).read_bytes()),
            index=proof.index,
        )

    def checkpoints(self) -> CheckpointSigner:
        """Return what signs checkpoints with the keys that are in force now."""
        return CheckpointSigner(origin=self.origin, signer=self.signer, verifier=self.verifier, memory=self.memory)

    @contextmanager
    def still(self) -> Iterator[Log]:
        """Hold the log for the length of the block, so that nobody writes to it. Raises Unavailable, Tampered."""
        with self._log() as log:
            yield log

    @contextmanager
    def _log(self) -> Iterator[Log]:
        end = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                log = Log.open(self.log_folder)
                break
            except Unavailable as busy:
                if busy.code != "log.in-use" or time.monotonic() > end:
                    raise
                time.sleep(0.02)
        with log:
            yield log


def _encoded(envelope: bytes, entry: Entry) -> bytes:
    issue = {"envelope": envelope.decode("ascii"), "salt": entry.salt, "body": entry.body().decode("ascii")}
    return json.dumps(issue).encode("ascii")


def _decoded(content: bytes) -> tuple[bytes, Entry]:
    kept = json.loads(content)
    body = json.loads(kept["body"])
    entry = Entry(
        id=EntryId(body["id"]),
        at=datetime.fromisoformat(body["at"]),
        actor=body["actor"],
        role=body["role"],
        act=Act(body["act"]),
        targets=tuple(body["targets"]),
        detail=body["detail"],
        salt=kept["salt"],
    )
    return kept["envelope"].encode("ascii"), entry
