"""What a printed certificate says: every fact of the signed predicate, in words, and its place in the log.

A section or field that this module does not know, of a later version of the predicate, is printed all the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from api.print.paper import Block, Facts, Heading, Lines, Paper, Section, Table, Words
from api.print.wording import Cell, Language, Wording
from evidence.checkpoint import Checkpoint
from evidence.envelope import Envelope
from evidence.note import Note, VerifierKey
from evidence.proof import Proof
from evidence.result import Result
from evidence.words import explain

_GROUPS: Final = {
    "kind": "kind",
    "through": "kind",
    "act": "act",
    "store": "store",
    "method": "method",
    "result": "result",
    "assurance": "assurance",
    "event": "event",
    "category": "category",
    "check": "check",
    "provider": "provider",
    "trigger": "trigger",
    "rehearsal": "rehearsal",
    "role": "role",
    "of": "approved",
    "key": "backup-key",
}
"""Fields whose values are codes, with the group of words.toml that says them."""

_DIGEST: Final = 64
_MOST_BESIDE_DIGEST: Final = 3

_REASONS: Final = {"skipped": "skip", "exceptions": "exception", "supersedes": "supersedes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """What is printed: a certificate that has passed its verification.

    Attributes:
        predicate: what it states; version: the last part of its type, such as `v1`.
        envelope, digest: the envelope and the SHA-256 of its bytes; proof: its place in the log.
        keys: the verifier keys that it was checked with; result: what checking it came to.
    """

    predicate: Mapping[str, Any]
    version: str
    envelope: Envelope
    digest: str
    proof: Proof
    keys: tuple[VerifierKey, ...]
    result: Result


def paper(printed: Printed, language: Language) -> Paper:
    """Return the certificate as a paper in one language: the seventeen fields in order, then how it was checked."""
    return _Sheet(printed, Wording(language)).paper()


@dataclass(frozen=True, slots=True)
class _Sheet:
    printed: Printed
    wording: Wording

    def paper(self) -> Paper:
        stated, say = self.printed.predicate, self.wording.say
        kind = stated["certificate"]["rehearsal"]
        as_of = self.wording.date(date.fromisoformat(stated["times"]["as_of"]))
        acts = {each["act"] for each in stated["scope"]["counts"]}
        title = self.wording.word("title", acts.pop() if len(acts) == 1 else "both")
        return Paper(
            language=self.wording.language,
            title=f"{title} {say('number')} {stated['certificate']['sequence']}",
            above=(stated["controller"]["name"], say("register")),
            banner="" if kind == "none" else say(f"banner-{kind}"),
            intro=say("intro-paper" if kind == "paper" else "intro", on=as_of),
            summary=self._summary(),
            code=f"sha256:{self.printed.digest}",
            alt=say("alt", digest=self.printed.digest),
            code_label=say("digest"),
            code_text=self.printed.digest,
            sections=tuple(self._sections()),
            closing=(say("times-utc"), say("no-data"), say("how")),
            page=say("page"),
            of=say("of"),
            issued_at=stated["times"]["ended_at"],
        )

    def _summary(self) -> Facts:
        stated = self.printed.predicate
        rows = [
            (
                f"{self._word('kind', each['kind']).capitalize()}, {self._word('act', each['act'])}",
                self._value("", each["count"]),
            )
            for each in stated["scope"]["counts"]
        ]
        rows.append((self.wording.say("total").capitalize(), self._value("", stated["scope"]["ids"]["count"])))
        return Facts(rows=tuple(rows))

    def _sections(self) -> Iterator[Section]:
        stated = dict(self.printed.predicate)

        def section(number: str, name: str, *blocks: Block) -> Section:
            return Section(number=number, title=self._word("section", name), blocks=blocks)

        certificate = stated.pop("certificate")
        supersedes = certificate["supersedes"]
        own = {name: value for name, value in certificate.items() if name != "supersedes"}
        version = Words(text=self.wording.say("version", version=self.printed.version.removeprefix("v")))
        later = (self._heading("supersedes"), *self._table("supersedes", supersedes)) if supersedes else ()
        yield section("1", "certificate", self._facts(own), version, *later)
        controller = {**stated.pop("controller"), **_named(stated.pop("register"), id="register")}
        yield section("2", "controller", self._facts(controller))
        policy = _named(stated.pop("policy"), name="policy", sha256="policy_sha256")
        yield section("3", "grounds", self._facts(policy), *self._table("grounds", stated.pop("grounds")))
        yield section("4", "terms", *self._table("terms", stated.pop("terms")))
        yield section("5", "scope", *self._scope(stated.pop("scope")))
        places = self._table("stores", stated.pop("stores"))
        left_out = self._table("exceptions", stated.pop("exceptions"))
        yield section("6", "stores", *places, self._heading("exceptions"), *left_out, *self._keys(stated.pop("keys")))
        yield section("7", "readback", *self._table("readback", stated.pop("readback")))
        for number, name in (("8", "cascade"), ("9", "skipped"), ("10", "holds")):
            yield section(number, name, *self._table(name, stated.pop(name)))
        yield section("11", "people", *self._people(stated))
        yield section("12", "times", self._facts(stated.pop("times")))
        backups = stated.pop("backups")
        until = {name: value for name, value in backups.items() if name != "sets"}
        yield section("13", "backups", self._facts(until), *self._table("backups", backups["sets"]))
        yield section("14", "recalls", self._facts(stated.pop("recalls")))
        yield section("15", "stubs", self._facts(stated.pop("stubs")))
        yield section("16", "log", self._log())
        yield section("17", "signatures", self._signatures(), Words(text=self.wording.say("not-signed")))
        for name, value in stated.items():
            yield section("+", name, *self._anything(name, value))
        verdict, *checks = explain(self.printed.result, self.wording.language)
        lines = Lines(lines=tuple(line.strip() for line in checks))
        yield Section(number="", title=self.wording.say("checked"), blocks=(Words(text=verdict), lines))

    def _scope(self, scope: Mapping[str, Any]) -> Iterator[Block]:
        yield from self._table("scope", scope["counts"])
        yield self._facts(scope["ids"])
        if scope["redacted"]:
            yield self._heading("redacted")
            yield from self._table("redacted", scope["redacted"])
        more = {name: value for name, value in scope.items() if name not in ("counts", "ids", "redacted")}
        if more:
            yield from self._anything("scope", more)

    def _keys(self, keys: Mapping[str, Any] | None) -> Iterator[Block]:
        yield self._heading("keys")
        if keys is None:
            yield Words(text=self.wording.say("keys-none"))
            return
        yield self._facts(_flat(keys))

    def _people(self, stated: dict[str, Any]) -> Iterator[Block]:
        run = _named(stated.pop("run"), id="run")
        rows = [(self._field(one), self._person(stated.pop(one))) for one in ("requested_by", "operator")]
        software = dict(stated.pop("software"))
        version = Cell(text=f"{software.pop('name')} {software.pop('version')}")
        more = self._rows({**run, **software})
        yield Facts(rows=(*rows, (self._field("software"), version), *more))
        yield self._heading("approvals")
        yield from self._table("approvals", stated.pop("approvals"))

    def _person(self, person: Mapping[str, str]) -> Cell:
        return Cell(text=f"{person['actor']} ({self._word('role', person['role'])})")

    def _log(self) -> Facts:
        proof = self.printed.proof
        checkpoint = Checkpoint.parse(Note.parse(proof.checkpoint).text)
        return Facts(
            rows=(
                (self._field("index"), self._value("", proof.index)),
                (self._field("origin"), Cell(text=checkpoint.origin)),
                (self._field("size"), self._value("", checkpoint.size)),
                (self._field("checkpoint"), Cell(text=checkpoint.root.hex(), code=True)),
                (self._field("hashes"), self._value("", len(proof.hashes))),
            )
        )

    def _signatures(self) -> Table:
        kinds = {key.label: str(key.type.algorithm) for key in self.printed.keys}
        rows = tuple(
            (Cell(text=one.keyid, code=True), Cell(text=kinds.get(one.keyid, "")))
            for one in self.printed.envelope.signatures
        )
        return Table(heads=(self._field("signed_by"), self._field("algorithm")), rows=rows, numeric=(False, False))

    def _anything(self, name: str, value: Any) -> Iterator[Block]:
        """Print what has no words of its own: values as facts, lists as tables, whatever lies inside likewise."""
        if isinstance(value, list) and all(isinstance(each, dict) for each in value):
            yield from self._table(name, value)
            return
        if not isinstance(value, dict):
            yield self._facts({name: value})
            return
        plain = {key: each for key, each in value.items() if not isinstance(each, (list, dict))}
        if plain:
            yield self._facts(plain)
        for key in self.wording.in_order(value.keys() - plain.keys()):
            yield Heading(text=self._field(key))
            yield from self._anything(key, value[key])

    def _table(self, name: str, items: Sequence[Mapping[str, Any]]) -> tuple[Block, ...]:
        """Return a table of items; items with a digest among many values, which no column holds, each by itself."""
        if not items:
            return (Words(text=self.wording.say("none")),)
        flat = [_flat(each) for each in items]
        columns = self.wording.in_order(key for each in flat for key in each)
        rows = tuple(tuple(self._value(key, each.get(key), name) for key in columns) for each in flat)
        heads = tuple(map(self._field, columns))
        if len(columns) > _MOST_BESIDE_DIGEST and any(cell.code and len(cell.text) == _DIGEST for cell in rows[0]):
            return tuple(Facts(rows=tuple(zip(heads, row, strict=True))) for row in rows)
        numeric = tuple(all(isinstance(each.get(key), int) for each in flat) for key in columns)
        return (Table(heads=heads, rows=rows, numeric=numeric),)

    def _facts(self, values: Mapping[str, Any]) -> Facts:
        return Facts(rows=self._rows(values))

    def _rows(self, values: Mapping[str, Any]) -> tuple[tuple[str, Cell], ...]:
        return tuple((self._field(key), self._value(key, values[key])) for key in self.wording.in_order(values))

    def _value(self, key: str, value: Any, section: str = "") -> Cell:
        if key == "through" and value is None:
            return Cell(text=self.wording.say("own-right"))
        group = _REASONS.get(section, "") if key == "reason" else _GROUPS.get(key, "")
        return self.wording.value(value, group)

    def _field(self, name: str) -> str:
        words = self._word("field", name)
        return words[:1].upper() + words[1:]

    def _heading(self, name: str) -> Heading:
        return Heading(text=self._word("section", name))

    def _word(self, group: str, code: str) -> str:
        return self.wording.word(group, code)


def _named(values: Mapping[str, Any], **other: str) -> dict[str, Any]:
    """Return `values` with some keys under another name, where another section has a key of the same name."""
    return {other.get(key, key): value for key, value in values.items()}


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` with what lies inside them beside them; lists as their members' words."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value)
        else:
            flat[key] = ", ".join(map(str, value)) if isinstance(value, list) else value
    return flat
