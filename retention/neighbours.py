"""In which order subjects go: those whom the same signals name together, so that most signals are touched once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from register.ids import SubjectId


def together(
    subjects: Sequence[tuple[SubjectId, int]], shared: Iterable[tuple[SubjectId, ...]]
) -> tuple[tuple[SubjectId, int], ...]:
    """Return `subjects` (id, revision) so ordered that neighbours follow one another (depth first).

    A signal about two of them that lie in two batches is redacted by the first and deleted by the second.

    Args:
        subjects: each once; the order among strangers is theirs.
        shared: for each signal, the subjects that it names.
    """
    near: dict[SubjectId, list[tuple[SubjectId, ...]]] = defaultdict(list)
    for named in shared:
        if len(named) > 1:
            for one in named:
                near[one].append(named)
    left, ordered = dict(subjects), []
    for start, _ in subjects:
        waiting = [start]
        while waiting:
            # The newest first: from one to the next. All neighbours before theirs would make batches of strangers.
            one = waiting.pop()
            revision = left.pop(one, None)
            if revision is not None:
                ordered.append((one, revision))
                waiting.extend(other for named in near.pop(one, ()) for other in named if other in left)
    return tuple(ordered)
