"""Offline verification of a whole log, from its published files and, where they are at hand, its bodies.

Eight checks, each with its own exit code (30 + its number) and a reason; docs/formats/verify.md describes them so that
somebody else can write the same verifier. Everything is streamed: memory is a byte an entry.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from evidence import shelves as rows
from evidence.checkpoint import WITNESSED, Checkpoint, verify_checkpoint, witnesses_of
from evidence.merkle import HASH_SIZE, tree_root
from evidence.note import Verifier, invalid
from evidence.result import Check, Finding, Status
from evidence.tiles import ENTRIES, WIDTH, TileReader, leaves_of, parse_partial, perfect_root, tile_path
from evidence.trust import Trust
from register.errors import Invalid, Tampered

LOG_CHECKS: Final = {
    1: "checkpoint",
    2: "witnesses",
    3: "entries",
    4: "tiles",
    5: "root",
    6: "earlier",
    7: "bodies",
    8: "deletions",
}
FAILED_EXIT: Final = 30
"""A failed check gives this plus its number: 31 to 38."""
_NUMBERS: Final = {code: number for number, code in LOG_CHECKS.items()}
_TOLD_EVERY: Final = 2560

Advance: TypeAlias = Callable[[int], None]
"""Is told how many entries, or bodies, have just been looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogResult:
    """What was found.

    Attributes:
        exit_code: 0 when nothing is wrong, 32 also where fewer witnesses cosigned than the trust file asks for, else
            30 + the number of the check that failed.
        checks: all eight, in order.
        size, bodies, gone: entries, bodies that are there, bodies deleted after their term (0 where not reached).
        limits: codes of what this does not prove; `evidence.words` puts them into sentences.
    """

    status: Status
    exit_code: int
    checks: tuple[Check, ...]
    size: int
    bodies: int
    gone: int
    limits: tuple[str, ...]


@dataclass(slots=True)
class _Survey:
    """What the checks have established so far; each step sets what later ones use."""

    folder: Path
    trust: Trust
    verifier: Verifier
    since: bytes | None
    with_bodies: bool
    advance: Advance
    note: bytes = field(init=False)
    checkpoint: Checkpoint = field(init=False)
    witnessed: bytes | None = field(init=False)
    reader: TileReader = field(init=False)
    seen: bytearray = field(init=False)
    told: list[dict[str, Any]] = field(default_factory=list)
    size: int = 0
    bodies: int = 0
    gone: int = 0
    status: Status = Status.VALID
    limits: list[str] = field(default_factory=lambda: ["complete-trail", "truth-of-entries"])

    def seen_by(self, note: bytes) -> int:
        """Return how many trusted witnesses cosigned, each with a time. Raises Invalid."""
        return len(witnesses_of(verify_checkpoint(note, self.trust.witnesses, self.verifier, threshold=0)[1]))


def _checkpoint(survey: _Survey) -> None:
    # First, so that it is never newer than the checkpoint of a log that grows meanwhile.
    published = survey.folder / WITNESSED
    survey.witnessed = published.read_bytes() if published.is_file() else None
    try:
        survey.note = (survey.folder / "checkpoint").read_bytes()
    except OSError:
        raise invalid("checkpoint.absent", "the folder holds no checkpoint that can be read") from None
    survey.checkpoint, _ = survey.trust.signed(survey.note, survey.verifier)
    if survey.checkpoint.origin != survey.trust.origin:
        raise invalid("checkpoint.origin", "the checkpoint is of another log than the trusted one")
    survey.size = survey.checkpoint.size
    survey.reader = TileReader(survey.folder, survey.size)


def _entries(survey: _Survey) -> None:
    """Every bundle has the form it must have; its entries hash to the tile beside it, and tiles to those above."""
    hashes: list[bytes] = []
    for index in range(-(-survey.size // WIDTH)):
        bundle = _tile(survey, ENTRIES, index, "entries.missing")
        try:
            leaves = leaves_of(bundle)
        except Tampered as wrong:
            raise invalid("entries.form", f"{tile_path(ENTRIES, index)}: {wrong.message}") from None
        _compare(survey, 0, index, leaves)
        if len(leaves) == WIDTH:
            hashes.append(perfect_root(leaves))
        survey.advance(len(leaves))
    level = 1
    while hashes:
        groups = [hashes[start : start + WIDTH] for start in range(0, len(hashes), WIDTH)]
        for index, group in enumerate(groups):
            _compare(survey, level, index, group)
        hashes = [perfect_root(group) for group in groups if len(group) == WIDTH]
        level += 1


def _tile(survey: _Survey, label: int | str, index: int, rule: str) -> bytes:
    try:
        return survey.reader.read(label, index)
    except Tampered as wrong:
        raise invalid(rule, wrong.message) from None


def _compare(survey: _Survey, level: int, index: int, hashes: Sequence[bytes]) -> None:
    if _tile(survey, level, index, "tiles.missing") != b"".join(hashes):
        path = tile_path(level, index, len(hashes))
        raise invalid("tiles.differ", f"{path} is not what the entries, or the tiles below, give")


def _earlier_partials(survey: _Survey) -> None:
    """Partial tiles of earlier checkpoints that are still there begin as the newest ones do."""
    for path in sorted((survey.folder / "tile").rglob("*.p/*")):
        name = path.relative_to(survey.folder).as_posix()
        partial = parse_partial(name)
        if partial is None:
            continue  # what a killed writer left, never renamed
        label, index, earlier = partial
        width = survey.reader.width(label, index)
        if width > 0:
            content, known = path.read_bytes(), survey.reader.read(label, index)
            step = len(known) // width
            shared = step * min(earlier, width)
            if len(content) != earlier * step or content[:shared] != known[:shared]:
                raise invalid("tiles.differ", f"{name} does not begin as the newest tile does")


def _root(survey: _Survey) -> None:
    if tree_root(survey.size, survey.reader.node) != survey.checkpoint.root:
        raise invalid("root.differs", "the entries do not give the root that was signed")


def _earlier(survey: _Survey) -> str | None:
    if survey.since is None:
        survey.limits.append("no-earlier-checkpoint")
        return "earlier.none"
    earlier, _ = survey.trust.signed(survey.since, survey.verifier)
    if earlier.origin != survey.trust.origin:
        raise invalid("earlier.checkpoint", "the checkpoint kept from before is of another log")
    if earlier.size > survey.size:
        raise invalid("earlier.went-backwards", f"{earlier.size} entries were signed; this log has {survey.size}")
    if tree_root(earlier.size, survey.reader.node) != earlier.root:
        raise invalid("earlier.forked", f"this log does not begin with the {earlier.size} entries signed before")
    return None


def _witnesses(survey: _Survey) -> str | None:
    needed = max(survey.trust.quorum, 1)
    if survey.seen_by(survey.note) >= needed:
        return None
    if survey.witnessed is not None and _witnessed(survey, survey.witnessed) >= needed:
        survey.limits.append("witnessed-earlier")
        return None
    survey.limits.append("not-witnessed")
    survey.status = Status.NOT_WITNESSED
    return "witness.none" if survey.trust.quorum == 0 else "witness.quorum"


def _witnessed(survey: _Survey, note: bytes) -> int:
    """Return how many witnesses cosigned the checkpoint published beside the newest one, which has to continue it."""
    try:
        earlier, _ = survey.trust.signed(note, survey.verifier)
        count = survey.seen_by(note)
    except Invalid as wrong:
        raise invalid("witnesses.published", f"`witnessed` does not verify: {wrong.faults[0].message}") from None
    size, root = earlier.size, earlier.root
    if earlier.origin != survey.trust.origin or size > survey.size or tree_root(size, survey.reader.node) != root:
        raise invalid("witnesses.forked", "the log does not continue the checkpoint that witnesses cosigned")
    return count


def _bodies(survey: _Survey) -> str | None:
    if not survey.with_bodies:
        survey.limits.append("bodies")
        return "bodies.not-asked"
    survey.seen = bytearray(survey.size)
    for shelf in rows.shelves(survey.folder):
        if shelf.kept:
            _shelf(survey, shelf.name)
    return None


def _shelf(survey: _Survey, name: str) -> None:
    bundle, start, before = b"", -WIDTH, -1
    step = 2 + HASH_SIZE
    looked = 0
    for raw in rows.lines(survey.folder, name):
        line = rows.parse_line(raw)
        if _beyond(raw, survey.size):
            break  # the log has grown since its checkpoint was read
        if line is None or line.index <= before:
            raise invalid("bodies.form", f"bodies/{name} holds a line that is none of a body")
        before = line.index
        if not start <= before < start + WIDTH:
            start = before // WIDTH * WIDTH
            bundle = survey.reader.read(ENTRIES, start // WIDTH)
        place = (before - start) * step + 2
        if hashlib.sha256(line.salt + line.body).digest() != bundle[place : place + HASH_SIZE] or survey.seen[before]:
            raise invalid("bodies.differ", f"bodies/{name} does not hold what was logged at {before}")
        survey.seen[before] = 1
        if told := rows.deletion(line.body):
            survey.told.append(told)
        looked += 1
        if looked % _TOLD_EVERY == 0:
            survey.advance(_TOLD_EVERY)
    survey.bodies += looked
    survey.advance(looked % _TOLD_EVERY)


def _beyond(raw: bytes, size: int) -> bool:
    """Whether a line is of an entry beyond the checkpoint, or only begun. What is lacking then is found missing."""
    head = raw.partition(b" ")[0]
    return not raw.endswith(b"\n") or (head.isdigit() and int(head) >= size)


def _deletions(survey: _Survey) -> str | None:
    if not survey.with_bodies:
        return "bodies.not-asked"
    for shelf in rows.shelves(survey.folder):
        if not shelf.gone or shelf.kept:
            continue  # both: it was being deleted; the bodies are still there and were checked
        content = (survey.folder / rows.BODIES / (shelf.name + rows.GONE)).read_bytes()
        if not any(rows.names(told, shelf, content) for told in survey.told):
            raise invalid("deletions.unlogged", f"no entry says that bodies/{shelf.name} was deleted after its term")
        for index in rows.parse_gone(content):
            if index >= survey.size or survey.seen[index]:
                raise invalid("deletions.list", f"bodies/{shelf.name} lists a body that is there, or no entry")
            survey.seen[index] = 1
            survey.gone += 1
    missing = survey.seen.find(0)
    if missing >= 0:
        raise invalid(
            "deletions.missing", f"the body of entry {missing} is not there, and no entry says it was deleted"
        )
    if survey.gone:
        survey.limits.append("bodies-gone")
    return None


def _told(error: Invalid | Tampered | OSError) -> tuple[str, str]:
    if isinstance(error, Invalid):
        return error.faults[0].rule, error.faults[0].message
    if isinstance(error, Tampered):
        return "tiles.missing", error.message
    return "entries.missing", f"a file cannot be read ({type(error).__name__})"


_STEPS: Final[tuple[tuple[int, Callable[[_Survey], str | None]], ...]] = (
    (1, _checkpoint),
    (3, _entries),
    (4, _earlier_partials),
    (5, _root),
    (6, _earlier),
    (2, _witnesses),
    (7, _bodies),
    (8, _deletions),
)


def verify_log(
    folder: Path,
    trust: Trust,
    verifier: Verifier,
    *,
    since: bytes | None = None,
    bodies: bool = True,
    advance: Advance = lambda _: None,
) -> LogResult:
    """Run the eight checks on the log in `folder`, up to the first that fails.

    Args:
        folder: with `checkpoint`, `tile/…` and, if they are to be checked, `bodies/…`; may grow meanwhile.
        trust: whose signatures count.
        verifier: what checks a signature.
        since: a signed checkpoint of this log kept from before, if there is one.
        bodies: whether the bodies must be there; a stranger's copy has none.
        advance: told of progress; each entry counts once, and each body once.

    Returns:
        Always a result; whatever is wrong with the files is a failed check, never an exception.
    """
    survey = _Survey(folder, trust, verifier, since, bodies, advance)
    found: dict[int, Check] = {}
    exit_code = 0
    for number, step in _STEPS:
        try:
            reason = step(survey)
        except (Invalid, Tampered, OSError) as error:
            rule, detail = _told(error)
            failed = _NUMBERS.get(rule.partition(".")[0], number) if number != 1 else 1
            survey.status, exit_code = Status.INVALID, FAILED_EXIT + failed
            found[failed] = Check(
                number=failed,
                code=LOG_CHECKS[failed],
                finding=Finding.FAILED,
                reason=rule,
                detail=detail,
            )
            break
        finding = Finding.PASSED if reason is None else Finding.NOT_DONE
        found.setdefault(number, Check(number=number, code=LOG_CHECKS[number], finding=finding, reason=reason or ""))
    if survey.status is Status.NOT_WITNESSED and trust.quorum:
        exit_code = FAILED_EXIT + 2
    return LogResult(
        status=survey.status,
        exit_code=exit_code,
        checks=tuple(
            found.get(number, Check(number=number, code=code, finding=Finding.NOT_REACHED))
            for number, code in LOG_CHECKS.items()
        ),
        size=survey.size,
        bodies=survey.bodies,
        gone=survey.gone,
        limits=() if survey.status is Status.INVALID else tuple(survey.limits),
    )
