"""The register of processing that the controller keeps (Wpg art. 31d), gathered from what really is in force.

Nothing of it is written down beside: terms come from the policy of today, authorisations from who is enrolled now, the
security from the anchor in use. It holds codes, articles and dates; no name of anybody who is in the register.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from register.access import PERMISSIONS, PURPOSE_BASIS, Role
from register.grading import Category, Origin, SubjectKind
from register.subjects import SpecialCategory
from retention.rules import Citation, Policy, Rule

CONTROLLER: Final = "College van procureurs-generaal"
"""Who answers for the processing (Wpg art. 1(f))."""

MEASURES: Final = (
    "every person, organisation, signal, source and decision is sealed under a key of its own (AES-256-GCM)",
    "facts that the law counts with are under a MAC and checked at every reading",
    "a purge replaces every key on the way to what was purged, and the processes that held one",
    "every act and every disclosure has an entry in a signed, witnessed log; nothing is shown before it is durable",
    "what is removed lies in a closed archive that only a custodian can open",
)


class Anchored(Protocol):
    """An anchor, as far as it is told of."""

    @property
    def kind(self) -> str:
        """Its kind."""

    @property
    def assurance(self) -> str:
        """How surely an old root key is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Processing:
    """Gathers the document.

    Attributes:
        controller: who answers for the processing.
        policy: in force; anchor: what the root key is wrapped under, and how surely an old one is gone.
        people: gives everybody enrolled, in values of JSON.
    """

    controller: str
    policy: Policy
    anchor: Anchored
    people: Callable[[], Iterable[Mapping[str, object]]]

    def document(self, on: date) -> Mapping[str, object]:
        """Return it as of civil date `on`, in values of JSON."""
        policy = self.policy
        rules = [rule for rule in policy.rules if rule.ground is policy.ground]
        return {
            "on": on.isoformat(),
            "controller": self.controller,
            "processing": policy.title,
            "ground": {"code": policy.ground.value, "citation": str(policy.rule.citation)},
            "policy": {"version": policy.version, "sha256": policy.digest},
            "purposes": [{"code": code.value, "basis": basis} for code, basis in PURPOSE_BASIS.items()],
            "persons": {
                "kinds": [one.value for one in SubjectKind],
                "categories": [one.value for one in Category],
                "special_categories": [one.value for one in SpecialCategory],
                "origins": [one.value for one in Origin],
            },
            "recipients": {
                "categories": [],
                "because": "no personal data are provided to anybody outside: there are no provisions",
            },
            "terms": [_rule(rule) for rule in rules] + [_term(*one) for one in self._others()],
            "security": {"anchor": self.anchor.kind, "assurance": self.anchor.assurance, "measures": list(MEASURES)},
            "authorisations": {
                "roles": {
                    role.value: sorted(one.value for one in may)
                    for role, may in PERMISSIONS.items()
                    if role is not Role.SYSTEM
                },
                "people": [dict(one) for one in self.people()],
            },
        }

    def _others(self) -> Iterable[tuple[str, str, Citation, str]]:
        policy = self.policy
        if policy.archive is not None:
            yield policy.archive.id, policy.archive.title, policy.archive.citation, str(policy.archive.term)
        yield policy.distrust.id, policy.distrust.title, policy.distrust.citation, str(policy.distrust.term)
        months = f"P{policy.informant.months}M"
        yield policy.informant.id, policy.informant.title, policy.informant.citation, months
        for request in policy.requests:
            yield f"request.{request.kind}", request.title, request.citation, str(request.term)


def _rule(rule: Rule) -> Mapping[str, object]:
    told = _term(rule.id, rule.title, rule.citation, "as written" if rule.written else str(rule.term))
    check = None if rule.check is None else str(rule.check.interval)
    starts = sorted(one.value for one in rule.starts)
    return {**told, "scope": rule.scope, "starts": starts, "review": check, "outcome": rule.outcome.value}


def _term(code: str, title: str, citation: Citation, term: str) -> Mapping[str, object]:
    return {"rule": code, "title": title, "citation": str(citation), "term": term}
