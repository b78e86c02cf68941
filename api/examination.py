"""`doctor`: what is wrong with a register, and what to do. Reads only; nothing is ever swept or mended by itself."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from api.archive import alarms
from api.founding import warnings
from api.keys import check, status
from api.replicas import window
from api.settings import Settings
from api.wiring import Workplace, workplace
from api.witnessing import witnessing
from register.backlog import OVERDUE, REVIEWS_LATE
from register.clock import civil_date
from register.errors import RegisterError
from retention.clockguard import Clockwork
from retention.intent import CANARY_OUTLIVED
from vault.anchors import AnchorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing examined.

    Attributes:
        what: code of what was looked at; state: `ok` or the code of what is wrong; remedy: what to do.
        bad: whether the register cannot go on like this.
    """

    what: str
    state: str = "ok"
    remedy: str = ""
    bad: bool = False

    def told(self) -> Mapping[str, object]:
        """Return it in values of JSON."""
        return asdict(self)


SURE: Mapping[str, str] = {
    AnchorKind.FILE: "a copy of KEYS reopens what was purged since: keep none; `init --anchor transit` is surer",
    AnchorKind.PASSPHRASE: "a copy of KEYS reopens, with the passphrase, what was purged since: keep none",
    AnchorKind.TRANSIT: "a backup of the key server's storage reopens what was purged since: let it expire soon",
}
"""What undoes a purge, by the kind of anchor."""

REMEDY = {
    "register.absent": "run `theme-register init`, or set THEME_REGISTER_HOME to where the register is",
    "keystore.absent": "without the keys nothing can be read any more; a new key store is never made in its place",
    "trail": "find out who wrote to the database or the log; then delete `log/alarm.json` in the register's folder",
    "witness.nobody": "name witnesses (THEME_REGISTER_WITNESSES): alone, whoever keeps the log could keep two",
    "witness.none": "send `theme-register witness request` to them, and put what they answer into `log/cosignatures`",
    "clock": "set it right, or have an officer confirm it: `theme-register retention clock --confirm`",
    "backlog": "see `theme-register retention runs`: have a waiting plan approved, or find out why no run ends",
    "archive.absent": "run `theme-register archive init` with the custodian: what is due waits, hidden",
    "archive.months": "run `theme-register archive extend` with the custodian: keys reach less than 72 months ahead",
    REVIEWS_LATE: "let reviewers work off `theme-register review queue`, the longest overdue first",
    "canary.none": "no run was begun here yet: start `theme-register keep`, which begins one every night",
    CANARY_OUTLIVED: "no run began for two nights, or rules find nothing due: is `theme-register keep` running?",
    "anchor.moving": "the root key is moving to another anchor and needs both: `theme-register keys rotate` ends it",
    "old-root": "a purge or rotation was interrupted: the keeper ends it, or `theme-register keys rotate`",
    "replica.none": "without the keys everything is lost: `theme-register keys replicate add` on another disk",
    "replica.behind": "it may open what was purged: `theme-register keys replicate run`, or strike it off",
    "swap.clear": "encrypt swap, or turn it off",
    "core-dumps": "run with `ulimit -c 0`",
}


def examine(settings: Settings) -> tuple[Finding, ...]:
    """Examine the register of `settings`."""
    return tuple(_findings(settings))


def _keys(settings: Settings) -> Iterator[Finding]:
    """Say whether every row of the key store opens, and whether an old root key or anchor waits for its end."""
    found, counted = check(settings), status(settings)
    if found["hits"]:
        lost = f"{found['subjects_lost']} subjects and {found['signals_lost']} signals have lost their key"
        yield Finding(
            what="key-store", state="keystore.damaged", remedy=f"{lost}: `theme-register keys check`", bad=True
        )
    else:
        yield Finding(what="key-store")
    if counted["old_roots"]:
        yield Finding(what="key-store", state="old-root", remedy=REMEDY["old-root"])
    if counted["moving"]:
        yield Finding(what="key-store", state="anchor.moving", remedy=REMEDY["anchor.moving"])


def _archive(opened: Workplace) -> Iterator[Finding]:
    """Say whether the closed archive can take in what will be removed in the years to come."""
    for code in alarms(opened):
        yield Finding(what="archive", state=code, remedy=REMEDY[code])


def _canary(opened: Workplace) -> Iterator[Finding]:
    """Say whether the made-up record of this installation outlived its day: then no run does what it should."""
    canary = opened.erasure.canary()
    if canary is None:
        yield Finding(what="canary", state="canary.none", remedy=REMEDY["canary.none"])
    elif canary.outlived(civil_date(opened.clock.now())):
        yield Finding(what="canary", state=CANARY_OUTLIVED, remedy=REMEDY[CANARY_OUTLIVED], bad=True)
    else:
        yield Finding(what="canary")


def _reviews(opened: Workplace) -> Iterator[Finding]:
    """Say how many reviews are overdue: what nobody reviews is hidden thirty days later, and removed after ninety."""
    if late := opened.offices.reviews_late():
        yield Finding(what="reviews", state=REVIEWS_LATE, remedy=f"{late} are: {REMEDY[REVIEWS_LATE]}")
    else:
        yield Finding(what="reviews")


def _witnesses(opened: Workplace) -> Iterator[Finding]:
    """Say how many witnesses vouch for the log, of how many needed."""
    witnesses = witnessing(opened.logbook, opened.settings).cosignatures
    if not witnesses.known:
        yield Finding(what="witnesses", state="witness.nobody", remedy=REMEDY["witness.nobody"])
        return
    seen = witnesses.newest()
    count = 0 if seen is None else len(seen.witnesses)
    told = f"{count} of {witnesses.needed} needed, of {witnesses.known} known"
    if seen is None:
        yield Finding(what="witnesses", state="witness.none", remedy=f"{told}: {REMEDY['witness.none']}", bad=True)
    else:
        yield Finding(what="witnesses", remedy=f"{told}, up to entry {seen.checkpoint.size}")


def _replicas(opened: Workplace) -> Iterator[Finding]:
    """Say which replicas have not forgotten yet, and what would be lost with this host."""
    found = window(opened.store, opened.logbook)
    for one in found:
        lacks = f"lacks {one['rows_missing']} keys and {one['entries_missing']} log entries"
        behind = Finding(
            what=f"replica {one['name']}", state="replica.behind", remedy=REMEDY["replica.behind"], bad=True
        )
        yield Finding(what=f"replica {one['name']}", remedy=lacks) if one["current"] else behind
    if not found and not opened.store.rehearsal:
        yield Finding(what="replicas", state="replica.none", remedy=REMEDY["replica.none"])


def _findings(settings: Settings) -> Iterator[Finding]:
    for code in warnings():
        yield Finding(what="host", state=code, remedy=REMEDY[code])
    try:
        with workplace(settings, "doctor") as opened:
            yield from _keys(settings)
            yield Finding(what="graph")
            sealed = opened.logbook.head()
            yield Finding(what="log", state="ok" if sealed is not None else "log.absent", bad=sealed is None)
            for code in opened.logbook.alarm.codes():
                yield Finding(what="trail", state=code, remedy=REMEDY["trail"], bad=True)
            yield from _witnesses(opened)
            clock = str(opened.custody.keeping.clock()["state"])
            if clock != Clockwork.STEADY:
                yield Finding(what="clock", state=clock, remedy=REMEDY["clock"], bad=True)
            if opened.offices.backlog.overdue(opened.clock.now()):
                yield Finding(what="backlog", state=OVERDUE, remedy=REMEDY["backlog"], bad=True)
            yield from _canary(opened)
            yield from _reviews(opened)
            anchor = opened.store.anchor
            yield Finding(what=f"anchor {anchor.kind}", state=f"assurance.{anchor.assurance}", remedy=SURE[anchor.kind])
            yield from _archive(opened)
            yield from _replicas(opened)
            if opened.store.rehearsal:
                yield Finding(what="register", state="rehearsal", remedy="for training and tests only")
    except RegisterError as error:
        yield Finding(what="register", state=error.code, remedy=REMEDY.get(error.code, error.message), bad=True)
