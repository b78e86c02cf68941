"""From a scene of the made-up register to a signal (format signal/1): who is named, what is told, how it was graded."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from api.demo.cast import Member, Ring, words

MARKINGS: Final = ("organised-crime", "joint-team-schelde", "integrity-inquiry")
"""Compartments that some signals are in; who may not see a compartment sees a smaller network."""

_POSITIONS: Final = {
    "paymaster": {"nl": "opdrachtgever", "en": "principal"},
    "broker": {"nl": "tussenpersoon", "en": "go-between"},
    "contact": {"nl": "tussenpersoon", "en": "go-between"},
    "customs": {"nl": "douaneambtenaar", "en": "customs officer"},
    "clerk": {"nl": "vergunningverlener", "en": "permit officer"},
    "planner": {"nl": "terminalplanner", "en": "terminal planner"},
    "director": {"nl": "directeur", "en": "director"},
    "mate": {"nl": "stuurman", "en": "first mate"},
    "officer": {"nl": "rechercheur", "en": "detective"},
    "fixer": {"nl": "geldschieter", "en": "financier"},
}
_RELATED: Final = frozenset({"post", "town", "terminal", "line", "stranger"})
_OBTAINED: Final = {
    "open-source": {"nl": "Uit een regionaal nieuwsbericht", "en": "From a regional news report"},
    "hotline": {"nl": "Gemeld bij een meldpunt integriteit", "en": "Reported to an integrity hotline"},
    "officer-observation": {"nl": "Gezien door een ambtenaar in dienst", "en": "Seen by an officer on duty"},
    "exploratory-inquiry": {"nl": "Uit een verkennend onderzoek", "en": "From an exploratory inquiry"},
    "investigation": {
        "nl": "Uit een afgesloten onderzoek, met toestemming",
        "en": "From a closed investigation, with consent",
    },
    "foreign-investigation": {"nl": "Ontvangen via een liaison", "en": "Received through a liaison officer"},
    "informant": {"nl": "Verteld door een informant", "en": "Told by an informant"},
    "witness": {"nl": "Verteld door een getuige", "en": "Told by a witness"},
    "anonymous": {"nl": "Anonieme brief", "en": "Anonymous letter"},
}
ORIGINS: Final = tuple(_OBTAINED)
_CONDITIONS: Final = {
    "nl": "Alleen verder te geven na overleg met de verstrekker.",
    "en": "To be passed on only after consulting the provider.",
}
_GRADES: Final = {"eu-4x4": ("ABCX", "1234"), "nl": ("ABCD", "123")}
_HANDLING: Final = {
    "eu-4x4": (("H0", 7), ("H1", 8), ("H2", 3), ("H3", 2)),
    "nl": (("11", 10), ("01", 5), ("00", 2), ("200", 2), ("300", 1)),
    "not-provided": (("H0", 4), ("H1", 4), ("01", 2), ("H2", 1), ("00", 1)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One sort of event (scenes.toml says what the parts mean)."""

    id: str
    core: bool
    needs: str
    roles: tuple[str, ...]
    links: tuple[tuple[str, ...], ...]
    special: tuple[str, str] | None
    need: Mapping[str, str]
    texts: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What `tell` is told: the scene, the ring, the dates (civil dates), where it comes from, and the reference."""

    scene: Scene
    ring: Ring
    received_on: date
    handed_in_on: date | None
    origin: str
    reference: str


def scenes() -> tuple[Scene, ...]:
    """Return the scenes of scenes.toml, in its order."""
    given = tomllib.loads((Path(__file__).parent / "scenes.toml").read_text(encoding="utf-8"))["scene"]
    return tuple(
        Scene(
            id=scene["id"],
            core=scene.get("core", False),
            needs=scene.get("needs", ""),
            roles=tuple(scene["roles"]),
            links=tuple(tuple(link.split()) for link in scene["links"]),
            special=(scene["special"][0], scene["special"][1]) if "special" in scene else None,
            need=scene["need"],
            texts={"nl": scene["nl"], "en": scene["en"]},
        )
        for scene in given
    )


def tell(occasion: Occasion, random: Random) -> dict[str, Any]:
    """Return the signal of one occasion, its chance parts drawn from `random`."""
    scene, ring = occasion.scene, occasion.ring
    language = "nl" if random.random() < ring.dutch else "en"
    members = {role: _member(role, ring, random) for role in scene.roles}
    happened = occasion.received_on - timedelta(days=random.randint(1, 12))
    narrative = _narrative(scene, ring, members, language, happened, random)
    return {
        "format": "signal/1",
        "reference": occasion.reference,
        "received_on": occasion.received_on.isoformat(),
        **({"handed_in_on": occasion.handed_in_on.isoformat()} if occasion.handed_in_on else {}),
        **({"observed": {"from": happened.isoformat(), "until": happened.isoformat()}} if scene.links else {}),
        **_evaluation(occasion, language, random),
        "necessity": scene.need[language],
        "narrative": narrative,
        "subjects": [_subject(member, role, scene, narrative, language, random) for role, member in members.items()],
        "ports": [ring.port],
        "links": [_link(link, ring.port, happened) for link in scene.links],
    }


def _member(role: str, ring: Ring, random: Random) -> Member:
    if role == "stranger":
        return Member(role=role, last=random.choice(words()["strangers"]))
    return ring.members[role]


def _narrative(
    scene: Scene, ring: Ring, members: Mapping[str, Member], language: str, happened: date, random: Random
) -> str:
    thousands = random.choice([1, 2, 3, 5, 8, 12, 15, 20, 25, 40])
    facts: dict[str, object] = {
        "port": ring.place[language],
        "when": f"{happened.day} {words()['months'][language][happened.month - 1]} {happened.year}",
        "amount": f"{thousands}.000 euro" if language == "nl" else f"{thousands},000 euros",
        "place": random.choice(words()["places"]),
        "berth": f"kade {random.randint(2, 96)}" if language == "nl" else f"berth {random.randint(2, 96)}",
    }
    told = random.choice(scene.texts[language]).format(**facts, **members)
    return told.replace("..", ".")  # a company's name may end in a full stop, and a sentence in that name


def _subject(member: Member, role: str, scene: Scene, narrative: str, language: str, random: Random) -> dict[str, Any]:
    known_alias = member.alias and (member.alias in narrative or random.random() < 0.6)
    subject: dict[str, Any] = {
        "ref": role,
        "type": "person" if member.is_person else "organisation",
        "category": "officer" if role == "officer" else "related" if role in _RELATED else "involved",
        "names": [member.name, *([member.alias] if known_alias else [])],
    }
    born = random.choice([member.born_on, member.born_on, member.born_on[:7], member.born_on[:4], ""])
    if born:
        subject["born_on"] = born
    if role in _POSITIONS:
        subject["position"] = _POSITIONS[role][language]
    stated = member.identifiers[: random.choice([1, 1, 2])]
    if stated:
        subject["identifiers"] = [{"kind": kind, "value": value} for kind, value in stated]
    if scene.special and scene.special[0] == role:
        subject["special_categories"] = [scene.special[1]]
    return subject


def _link(link: Sequence[str], port: str, happened: date) -> dict[str, Any]:
    origin, kind, target, *fact = link
    stated = {"from": origin, "to": port if target == "PORT" else target, "kind": kind}
    stated["basis"] = "fact" if fact else "assessment"
    if kind in {"paid", "met-with", "communicated-with"}:
        stated |= {"since": happened.isoformat(), "until": happened.isoformat()}
    elif kind in {"holds-office-at", "employed-by", "directs", "owns"}:
        stated["since"] = date(happened.year - 3, 1, 1).isoformat()
    return stated


def _evaluation(occasion: Occasion, language: str, random: Random) -> dict[str, Any]:
    """Return source, grades, handling and markings. Core scenes are open to every analyst, so that the story holds."""
    core = occasion.scene.core
    scheme = "eu-4x4" if core else random.choices(["eu-4x4", "nl", "not-provided"], [6, 3, 1])[0]
    codes, weights = zip(*(_HANDLING[scheme][:2] if core else _HANDLING[scheme]), strict=True)
    handling = {"code": random.choices(codes, weights)[0]}
    if handling["code"] in {"H3", "300"}:
        handling["conditions"] = _CONDITIONS[language]
    source = {"origin": occasion.origin, "obtained": _OBTAINED[occasion.origin][language]}
    if occasion.origin in {"informant", "witness", "foreign-investigation"}:
        source["description"] = f"{'Bron' if language == 'nl' else 'Source'} {random.randint(100, 999)}"
    stated: dict[str, Any] = {"evaluation_scheme": scheme, "source": source}
    if scheme in _GRADES:
        grades, informations = _GRADES[scheme]
        source["grade"] = "X" if occasion.origin == "anonymous" and scheme == "eu-4x4" else random.choice(grades)
        stated["information_grade"] = random.choice(informations)
    marked = [] if core or random.random() > 0.2 else random.sample(MARKINGS, random.choice([1, 1, 2]))
    return {**stated, "handling": handling, "markings": sorted(marked)}
