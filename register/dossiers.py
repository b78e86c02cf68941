"""The clear facts of decisions and holds; their texts lie beside, sealed under a key of their own (Wpg art. 32(4))."""

from dataclasses import dataclass
from datetime import date, timedelta

from register.decisions import DossierKind, DossierState
from register.ids import DossierId, HoldId
from register.lifetime import HoldGround


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierFacts:
    """One decision on its way or taken, without its text; that lies beside, sealed under the dossier's own key.

    Attributes:
        revision: raised by one at every change.
        kind: what it is about; code: what is wished or was decided, of the list that goes with the kind.
        on: civil date of the decision, or of the proposal; by, role: who.
        case: case reference.
        targets: ids of the subjects or signals concerned, sorted.
        grounds: ids of what it rests on, such as the signals with new information, sorted.
        state: `proposed` while a second person has to agree.
        second: who agreed or refused; settled_on: when. "" and None while nobody did, or where nobody has to.
        texts: names of its sealed texts, sorted, so that one taken away is found out.
        keep_until: civil date from which on its text is kept no longer.
    """

    id: DossierId
    revision: int
    kind: DossierKind
    code: str
    on: date
    by: str
    role: str
    case: str
    targets: tuple[str, ...] = ()
    grounds: tuple[str, ...] = ()
    state: DossierState
    second: str = ""
    settled_on: date | None = None
    texts: tuple[str, ...] = ()
    keep_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFacts:
    """What postpones a destruction (law.md rule 7), never a removal; title, mandate and reason lie in its dossier.

    Attributes:
        revision: raised by one at every change.
        ground: its ground in the law, of the policy's list.
        from_, until: first and last civil date it stands; None: until it is lifted.
        review_on: civil date by which somebody looks whether it is still needed.
        on, by: when it was laid, and who laid it.
        case: case reference.
        subjects, signals, archived: ids it lies on, sorted.
        start, depth: of a query, whose result is found anew every night: this subject and those up to `depth` links
            away; "" and 0: no query.
        dossier: id of the dossier with title, mandate and reason.
        lifted_on, lifted_by, lift_dossier: when it was lifted, who did, and the dossier with the reason of that.
    """

    id: HoldId
    revision: int
    dossier: DossierId
    ground: HoldGround
    from_: date
    until: date | None = None
    review_on: date
    on: date
    by: str
    case: str
    subjects: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    archived: tuple[str, ...] = ()
    start: str = ""
    depth: int = 0
    lifted_on: date | None = None
    lifted_by: str = ""
    lift_dossier: str = ""

    @property
    def last_day(self) -> date | None:
        """The last civil date on which it postpones a destruction; lifted, the day before that."""
        lifted = self.lifted_on and self.lifted_on - timedelta(days=1)
        return min((day for day in (self.until, lifted) if day is not None), default=None)

    def stands(self, on: date) -> bool:
        """Say whether it postpones a destruction on civil date `on`."""
        return self.from_ <= on and (self.last_day is None or on <= self.last_day)
