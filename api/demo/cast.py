"""Who takes part in the made-up register: rings of people and companies, one for each harbour.

Names come from names.toml. Identifiers are made up: passports T9900…, KvK numbers 990000…, IMO company numbers that
begin with 099 (valid check digit; none below 1000000 was ever issued), an IBAN of a bank that does not exist.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

PERSONS: Final = ("paymaster", "broker", "customs", "clerk", "planner", "director", "mate", "officer")
COMPANIES: Final = ("terminal", "forwarder", "shell", "line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A made-up person or organisation.

    Attributes:
        role: what part it plays in its ring.
        first: given name; empty for an organisation.
        last: family name with its particles, or the organisation's name.
        alias: nickname, if any.
        born_on: birth date, `YYYY-MM-DD`; empty for an organisation.
        identifiers: kind and value, the strongest first; none for somebody known by a nickname only.
    """

    role: str
    first: str = ""
    last: str
    alias: str = ""
    born_on: str = ""
    identifiers: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The full name."""
        return f"{self.first} {self.last}".strip()

    @property
    def is_person(self) -> bool:
        """Whether this is a person; the others are organisations."""
        return self.role in {*PERSONS, "fixer", "stranger", "contact"}

    def __format__(self, spec: str) -> str:
        """Give the full name, or for `last` and `alias` that part of it; `Last` begins with a capital letter."""
        parts = {"": self.name, "last": self.last, "Last": self.last[:1].upper() + self.last[1:], "alias": self.alias}
        return parts[spec]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """A ring: its harbour, when its signals came in, and its members by role.

    Attributes:
        port: UN/LOCODE.
        place: the harbour's name in running text, by language.
        days: first and last day of its signals, counted from the oldest that may be handed in; no last: until today.
        share: its part of all signals, in proportion to the other rings' shares.
        dutch: how much of what is written is in Dutch, 0 to 1; the rest is in English.
        has: which needs of scenes it meets.
        members: by role; `contact` is another ring's go-between, `fixer` the same in all rings that have one.
    """

    port: str
    place: Mapping[str, str]
    days: tuple[int, int | None]
    share: int
    dutch: float
    has: frozenset[str]
    members: Mapping[str, Member]


@cache
def words() -> Mapping[str, Any]:
    """Return the contents of names.toml."""
    return tomllib.loads((Path(__file__).parent / "names.toml").read_text(encoding="utf-8"))


def rings(random: Random) -> tuple[Ring, ...]:
    """Return the rings, in the order of names.toml, with names and birth dates drawn from `random`."""
    given = words()
    makers = _Makers(given, random)
    fixer = makers.person("fixer", iban=True)
    holding = makers.company("holding", "Holding Ltd", vat=True)
    made: dict[str, Ring] = {}
    for spec in given["ring"]:
        members = dict(makers.ring(spec))
        if "contact" in spec:
            members["contact"] = made[spec["contact"]].members["broker"]
        if "financed" in spec:
            members |= {"fixer": fixer, "holding": holding}
        first, *last = spec["days"]
        made[spec["port"]] = Ring(
            port=spec["port"],
            place=spec["name"],
            days=(first, last[0] if last else None),
            share=spec["share"],
            dutch=spec["dutch"],
            has=frozenset({"contact", "financed", "family"} & spec.keys()),
            members=members,
        )
    return tuple(made.values())


class _Makers:
    """Makes members, each name and number once."""

    def __init__(self, given: Mapping[str, Any], random: Random) -> None:
        self._random = random
        self._first = iter(random.sample(given["first"], len(given["first"])))
        self._last = iter(random.sample(given["last"], len(given["last"])))
        self._company = iter(random.sample(given["company"], len(given["company"])))
        self._nicknames = iter(given["nicknames"])
        self._number = 0

    def ring(self, spec: Mapping[str, Any]) -> Iterator[tuple[str, Member]]:
        """Give the members of one ring by role; in a family ring two of them share a family name."""
        clerk = self.person("clerk")
        for role in PERSONS:
            if role == "clerk":
                yield role, clerk
            else:
                relative = role == "director" and "family" in spec
                alias = next(self._nicknames) if role == "broker" else ""
                yield role, self.person(role, last=clerk.last if relative else None, alias=alias)
        for role, form in zip(COMPANIES, spec["companies"], strict=True):
            yield role, self.company(role, form, imo=role == "line")
        for role, name in (("post", spec["customs"]), ("town", spec["town"])):
            yield role, Member(role=role, last=name, identifiers=(("kvk", f"9900{self._next():04d}"),))

    def person(self, role: str, *, last: str | None = None, alias: str = "", iban: bool = False) -> Member:
        """Return a person with a passport, and a weak or a second identifier."""
        number, first = self._next(), next(self._first)
        born = f"{self._random.randint(1955, 1996)}-{self._random.randint(1, 12):02d}-{self._random.randint(1, 28):02d}"
        second = ("iban", _iban(number)) if iban else ("email", f"{first.lower()}{number}@example.org")
        return Member(
            role=role,
            first=first,
            last=last or next(self._last),
            alias=alias,
            born_on=born,
            identifiers=(("passport", f"T9900{number:04d}"), second),
        )

    def company(self, role: str, form: str, *, imo: bool = False, vat: bool = False) -> Member:
        """Return a company; a shipping company is known by its IMO number, the others by their KvK number."""
        number = self._next()
        identifiers = [("imo", _imo(number))] if imo else [("kvk", f"9900{number:04d}")]
        if vat:
            identifiers.append(("vat", f"NL9900{number:05d}B01"))
        return Member(role=role, last=f"{next(self._company)} {form}", identifiers=tuple(identifiers))

    def _next(self) -> int:
        self._number += 1
        return self._number


def _imo(number: int) -> str:
    """Return an IMO number of the never issued range 099…, with its check digit (IMO resolution A.1117(30))."""
    digits = f"099{number:03d}"
    return digits + str(sum(int(digit) * weight for digit, weight in zip(digits, range(7, 1, -1), strict=True)) % 10)


def _iban(number: int) -> str:
    """Return an IBAN (ISO 13616) with valid check digits, of a bank code that no bank has."""
    account = f"{number:010d}"
    letters = "".join(str(int(letter, 36)) for letter in "XXXXNL")
    return f"NL{98 - int(letters[:8] + account + letters[8:] + '00') % 97:02d}XXXX{account}"
