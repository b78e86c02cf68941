"""Who is enrolled: the administrator's use case. An administrator sees no content and no key but the one just made."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from register.access import ACTOR_PATTERN, MARKING_PATTERN, Actor, Permission, Role, authorise
from register.audit import Act, Entry, refused_entry
from register.clock import Clock
from register.errors import Fault, Invalid, Refused
from register.grading import HandlingCode
from register.interfaces import Credentials
from register.stores import Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """Enrols and ends actors."""

    credentials: Credentials
    trail: Trail
    clock: Clock

    def enrol(
        self,
        actor: Actor,
        *,
        code: str,
        role: str,
        markings: Collection[str] = (),
        handling: str = HandlingCode.H0,
        expires_on: date | None = None,
    ) -> str:
        """Enrol `code`, cleared up to `handling`; return its key, which is never shown again.

        Raises:
            Refused: the caller is no administrator.
            Invalid: the code or a marking is malformed, or the role is not one that people have.
            Conflict: the code is enrolled already.
        """
        now = self._enter(actor, Act.ACTOR_ENROL)
        faults = []
        if not ACTOR_PATTERN.fullmatch(code):
            message = f"must match {ACTOR_PATTERN.pattern}"
            faults.append(Fault(pointer="/code", rule="actor.malformed", message=message))
        if role not in set(Role) - {Role.SYSTEM}:
            faults.append(Fault(pointer="/role", rule="role.unknown", message="is not a role that can be given"))
        if not all(map(MARKING_PATTERN.fullmatch, markings)):
            message = f"each must match {MARKING_PATTERN.pattern}"
            faults.append(Fault(pointer="/markings", rule="marking.malformed", message=message))
        if faults:
            raise Invalid(faults)
        expires_at = datetime.combine(expires_on, time.min, UTC) if expires_on else None
        entry = _entry(actor, Act.ACTOR_ENROL, now, {"code": code, "role": role, "handling": handling})
        self.trail.append([entry])
        return self.credentials.add(
            code=code,
            role=Role(role),
            markings=frozenset(markings),
            handling=HandlingCode(handling),
            expires_at=expires_at,
        )

    def end(self, actor: Actor, code: str) -> None:
        """End the key of `code` at once. Raises Refused, NotFound."""
        now = self._enter(actor, Act.ACTOR_END)
        self.trail.append([_entry(actor, Act.ACTOR_END, now, {"code": code})])
        self.credentials.end(code)

    def actors(self, actor: Actor) -> tuple[Mapping[str, object], ...]:
        """Return who is enrolled, without keys. Raises Refused."""
        now = self._enter(actor, Act.ACTOR_LIST)
        found = self.credentials.all()
        self.trail.append([_entry(actor, Act.ACTOR_LIST, now, count=len(found))])
        return found

    def _enter(self, actor: Actor, act: Act) -> datetime:
        now = self.clock.now()
        try:
            authorise(actor, Permission.ACTOR_MANAGE, as_of=now)
        except Refused as refused:
            self.trail.append([refused_entry(actor.code, actor.role, act, now, refused.code)])
            raise
        return now


def _entry(actor: Actor, act: Act, at: datetime, detail: Mapping[str, str] | None = None, *, count: int = 0) -> Entry:
    return Entry(at=at, actor=actor.code, role=actor.role, act=act, count=count, detail=detail or {})
