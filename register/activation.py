"""Officers' use case: a version of the policy is proposed, its impact looked at, and activated by a second person.

No content passes here: texts of the policy, ids, dates and counts. Who proposes or wrote a version does not activate
it; who activates it was shown its impact list; it comes into force after the grace period of the one in force.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from register.access import Actor, Grant, Permission, authorise
from register.audit import Act, Entry, Outcome, refused_entry
from register.clock import Clock, civil_date
from register.errors import Refused
from register.interfaces import Versions
from register.stores import Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """Answers compliance officers about versions of the policy."""

    versions: Versions
    trail: Trail
    clock: Clock

    def all(self, actor: Actor) -> tuple[Mapping[str, object], ...]:
        """Return every version with its state, the one that came with the software first. Raises Refused."""
        grant = self._enter(actor, Permission.POLICY_SEE, Act.POLICY_SHOW)
        self.trail.append([_entry(grant, Act.POLICY_SHOW, "")])
        return self.versions.all(civil_date(grant.as_of))

    def text(self, actor: Actor, digest: str) -> Mapping[str, str]:
        """Return file name and text of a version. Raises Refused, NotFound."""
        grant = self._enter(actor, Permission.POLICY_SEE, Act.POLICY_SHOW)
        self.trail.append([_entry(grant, Act.POLICY_SHOW, digest)])
        return self.versions.text(digest)

    def propose(self, actor: Actor, file: str, text: str) -> str:
        """Hand a version in; return its digest.

        Raises:
            Refused: not this role.
            Invalid: every fault of the file, each with its line. Conflict: `policy.known`.
        """
        grant = self._enter(actor, Permission.POLICY_PROPOSE, Act.POLICY_PROPOSE)
        return self.versions.propose(
            file, text.encode("utf-8"), actor.code, civil_date(grant.as_of), _entry(grant, Act.POLICY_PROPOSE, "")
        )

    def impact(self, actor: Actor, digest: str) -> Mapping[str, object]:
        """Return what the version would change, record by record; it is remembered who was shown what.

        Raises:
            Refused: not this role. NotFound: no such version.
        """
        grant = self._enter(actor, Permission.POLICY_SEE, Act.POLICY_IMPACT)
        return self.versions.impact(
            digest, actor.code, civil_date(grant.as_of), _entry(grant, Act.POLICY_IMPACT, digest)
        )

    def approve(self, actor: Actor, digest: str, impact: str) -> Mapping[str, object]:
        """Activate the version as the second person, having looked at the impact list of that digest.

        Raises:
            Refused: not this role; `approval.second-person`, `approval.unseen`. NotFound. Conflict: `policy.settled`.
        """
        grant = self._enter(actor, Permission.POLICY_APPROVE, Act.POLICY_APPROVE)
        entry = _entry(grant, Act.POLICY_APPROVE, digest, impact=impact)
        return self._or_recorded(
            entry, lambda: self.versions.approve(digest, impact, actor.code, civil_date(grant.as_of), entry)
        )

    def withdraw(self, actor: Actor, digest: str) -> Mapping[str, object]:
        """Take a version back before it comes into force. Raises Refused, NotFound, Conflict (`policy.settled`)."""
        grant = self._enter(actor, Permission.POLICY_PROPOSE, Act.POLICY_WITHDRAW)
        entry = _entry(grant, Act.POLICY_WITHDRAW, digest)
        return self.versions.withdraw(digest, actor.code, civil_date(grant.as_of), entry)

    def _or_recorded(self, entry: Entry, step: Callable[[], Mapping[str, object]]) -> Mapping[str, object]:
        """Do `step`; that it was refused is recorded."""
        try:
            return step()
        except Refused as refused:
            detail = {**entry.detail, "code": refused.code}
            self.trail.append([replace(entry, outcome=Outcome.REFUSED, detail=detail)])
            raise

    def _enter(self, actor: Actor, permission: Permission, act: Act) -> Grant:
        now = self.clock.now()
        try:
            return authorise(actor, permission, as_of=now)
        except Refused as refused:
            self.trail.append([refused_entry(actor.code, actor.role, act, now, refused.code)])
            raise


def _entry(grant: Grant, act: Act, digest: str, **detail: str) -> Entry:
    told = {"policy": digest, **detail} if digest else detail
    return Entry(at=grant.as_of, actor=grant.actor.code, role=grant.actor.role, act=act, detail=told)
