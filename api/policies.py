"""The book of the policy's versions, in the register's folder: their texts as handed in, and what was decided of them.

The book's MAC is the register's, and the key store remembers its revision: neither another book nor an older one is
believed, and a book that is gone is no book without versions. A text is named by its SHA-256 and never changes.
"""

import fcntl
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial
from hmac import compare_digest
from importlib.resources import files
from pathlib import Path
from typing import Final

from graph.trail import AuditTrail
from register.audit import Entry
from register.errors import Fault, Invalid, NotFound, Tampered
from register.ids import RegisterId
from register.sealed import PolicyBookFacts
from retention.assessment import Assessment
from retention.impact import Change, Effect
from retention.outlook import Outlook
from retention.policy import load, shipped, shipped_every
from retention.rules import Policy
from retention.versions import Book, Timeline, Version, first_day, timeline
from vault.folders import private, replace_durably
from vault.sealing import Sealer

FOLDER: Final = "policies"
BOOK: Final = "book.json"
FORMAT: Final = "theme-register policies v1"
BUILT_IN: Final = "2020-01-01-theme-bribery.toml"
"""The version that comes with the software, in force in every register before another is activated."""


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """The versions of one register's policy; `folder` is the register's own."""

    folder: Path
    register: RegisterId
    sealer: Sealer

    def read(self) -> Book:
        """Return the book, checked. Raises Tampered: code `policy.book`: it is not what this register wrote last."""
        try:
            content = json.loads((self.folder / FOLDER / BOOK).read_bytes())
            mac = bytes.fromhex(content.pop("mac"))
            versions = tuple(map(Version.read, content["versions"]))
            book = Book(revision=int(content["revision"]), versions=versions)
        except FileNotFoundError:
            book, mac = Book(), None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _damaged() from None
        if mac is not None and not compare_digest(self.sealer.mac(self._facts(book)), mac):
            raise _damaged()
        if self.sealer.behind([(self._id, book.revision)]):
            raise _damaged()
        return book

    def change(self, step: Callable[[Book], Book], witness: Callable[[], None], text: bytes | None = None) -> Book:
        """Do one step with the book, by one process at a time; `witness` writes the entry once the step is allowed.

        A `text` is durable before the book that names it.
        """
        with self._alone():
            book = step(self.read())
            if text is not None:
                replace_durably(self._text(hashlib.sha256(text).hexdigest()), text)
            witness()
            content = {**self._content(book), "mac": self.sealer.mac(self._facts(book)).hex()}
            replace_durably(self.folder / FOLDER / BOOK, json.dumps(content, sort_keys=True, indent=1).encode("ascii"))
            self.sealer.remember([(self._id, book.revision)])
        return book

    def timeline(self) -> Timeline:
        """Return which policy is in force when. Raises Tampered, also where a text is gone (`policy.text`)."""
        coming = self.read().coming()
        return timeline(shipped(BUILT_IN), ((day, self.policy(one.digest)) for day, one in coming))

    def on(self, day: date) -> Policy:
        """Return the policy in force on civil date `day`. Raises Tampered."""
        return self.timeline().on(day)

    def policy(self, digest: str) -> Policy:
        """Return the version with this digest. Raises NotFound; Tampered (`policy.text`)."""
        built_in = next((one for one in shipped_every() if one.digest == digest), None)
        return built_in or _loaded(self.read().version(digest).file, text_of(self.folder, digest))

    @property
    def _id(self) -> str:
        """Under what the key store remembers the book's revision."""
        return hashlib.sha256(f"{FORMAT}:{self.register}".encode()).hexdigest()[:32]

    def _facts(self, book: Book) -> PolicyBookFacts:
        content = json.dumps(self._content(book), sort_keys=True).encode("ascii")
        return book.facts(self._id, hashlib.sha256(content).hexdigest())

    def _content(self, book: Book) -> dict[str, object]:
        versions = [one.told() for one in book.versions]
        return {"format": FORMAT, "register": self.register, "revision": book.revision, "versions": versions}

    def _text(self, digest: str) -> Path:
        return self.folder / FOLDER / f"{digest}.toml"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        place = self.folder / FOLDER
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(place / ".lock", "ab", opener=private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def text_of(folder: Path, digest: str) -> bytes:
    """Return the text of the version with this SHA-256, of those handed in or shipped; needs no key.

    Raises:
        NotFound: there is none. Tampered: code `policy.text`: what lies there is another text.
    """
    for one in shipped_every():
        if one.digest == digest:
            return (files("retention") / "policies" / f"{one.version}.toml").read_bytes()
    try:
        content = (folder / FOLDER / f"{digest}.toml").read_bytes()
    except FileNotFoundError:
        raise NotFound from None
    if not compare_digest(hashlib.sha256(content).hexdigest(), digest):
        raise Tampered("policy.text", "the text of a version of the policy is not the one that was handed in")
    return content


@lru_cache(maxsize=16)
def _loaded(file: str, content: bytes) -> Policy:
    return load(file, content)


def _damaged() -> Tampered:
    return Tampered("policy.book", "the book of the policy's versions is not what this register wrote last")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDesk:
    """What officers ask of the versions: `register.interfaces.Versions` from the book and the outlook.

    Attributes:
        outlook: looks by the policy in force today.
    """

    book: PolicyBook
    outlook: Outlook
    trail: AuditTrail

    def all(self, on: date) -> tuple[Mapping[str, object], ...]:
        """Return every version with its state, the one that came with the software first."""
        built_in, book = shipped(BUILT_IN), self.book.read()
        now = self.book.timeline().on(on).digest
        first = {"digest": built_in.digest, "file": BUILT_IN, "state": "built-in", "in_force": now == built_in.digest}
        told = ({**one.told(), "state": one.state(on), "in_force": now == one.digest} for one in book.versions)
        return (first, *told)

    def text(self, digest: str) -> Mapping[str, str]:
        """Return file name and text of a version."""
        file = f"{self.book.policy(digest).version}.toml"
        return {"file": file, "text": text_of(self.book.folder, digest).decode("utf-8")}

    def propose(self, file: str, text: bytes, by: str, on: date, entry: Entry) -> str:
        """Take a version in, if all of it can be read and it is of this register's ground."""
        policy = load(file, text)
        present = self.outlook.policy
        if policy.ground is not present.ground:
            message = f"this register processes under {present.ground}: another ground is another register"
            raise Invalid(
                [Fault(pointer="/ground", rule="policy.other-ground", message=message)], code="policy.invalid"
            )
        done = replace(entry, detail={**entry.detail, "policy": policy.digest})
        self.book.change(
            lambda book: book.propose(policy, file, by, on, present=present), partial(self.trail.append, [done]), text
        )
        return policy.digest

    def impact(self, digest: str, to: str, on: date, entry: Entry) -> Mapping[str, object]:
        """Return what a version changes on the day it would be in force from, activated on civil date `on`."""
        new, present = self.book.policy(self.book.read().version(digest).digest), self.outlook.policy
        first = first_day(new.valid_from, on, present)
        changes = [_line(item, change) for item, change in self.outlook.impact(new, first)]
        counts = Counter(str(one["effect"]) for one in changes)
        told = {
            "policy": digest,
            "instead_of": present.digest,
            "on": first.isoformat(),
            "counts": {effect.value: counts[effect.value] for effect in Effect},
            "changes": changes,
        }
        seen = hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()
        done = replace(entry, count=len(changes), detail={**entry.detail, "impact": seen})
        self.book.change(lambda book: book.shown(digest, to, seen), partial(self.trail.append, [done]))
        return {**told, "impact": seen}

    def approve(self, digest: str, impact: str, by: str, on: date, entry: Entry) -> Mapping[str, object]:
        """Activate a version; the entry names the day from which it is in force."""
        new, present = self.book.policy(digest), self.outlook.policy
        first = first_day(new.valid_from, on, present)
        done = replace(entry, detail={**entry.detail, "in_force_from": first.isoformat()})
        book = self.book.change(
            lambda book: book.approve(digest, impact, by, on, in_force_from=first), partial(self.trail.append, [done])
        )
        return {**book.version(digest).told(), "state": book.version(digest).state(on)}

    def withdraw(self, digest: str, by: str, on: date, entry: Entry) -> Mapping[str, object]:
        """Take a version back."""
        book = self.book.change(lambda book: book.withdraw(digest, by, on), partial(self.trail.append, [entry]))
        return {**book.version(digest).told(), "state": book.version(digest).state(on)}


def _line(item: str, change: Change) -> Mapping[str, object]:
    return {"id": item, "effect": change.effect.value, "before": _short(change.before), "after": _short(change.after)}


def _short(told: Assessment | None) -> Mapping[str, object] | None:
    if told is None:
        return None
    days = {"review_by": told.review_by, "ends_on": told.ends_on, "destroy_on": told.destroy_on}
    return {"state": told.state.value, **{name: day and day.isoformat() for name, day in days.items()}}
