"""What monitoring reads at `/metrics`, in the text format of Prometheus: numbers only, no id, no code of a person.

Each application has collectors of its own. What is measured is read anew at most every half minute, whoever asks how
often: a scrape costs nobody else anything.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
EVERY_SECONDS: Final = 30.0
WEEK_DAYS: Final = 7
PREFIX: Final = "theme_register_"
NAN: Final = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was measured at `at` (aware, UTC).

    Attributes:
        today: civil date of the measuring.
        subjects, signals: live records; due: subjects past their day; reviews_late: those
            whose review is overdue; oldest_due: the earliest such day.
        taken_in, purged: signals taken in, and subjects and signals deleted, in the last WEEK_DAYS days.
        sealed_at: when the newest checkpoint was signed; certified_at: when the newest certificate was issued.
        log_size: entries in the log.
        witnesses: how many cosigned the newest witnessed checkpoint, and how many entries that has.
        workers: processes that hold keys, by kind; names: names of mentions in memory; names_complete: all of them.
        canary_alive: whether the made-up record of yesterday is still there; None: none is kept.
    """

    at: datetime
    today: date
    subjects: int
    signals: int
    due: int
    reviews_late: int
    oldest_due: date | None
    taken_in: int
    purged: int
    sealed_at: datetime | None
    certified_at: datetime | None
    log_size: int
    workers: Mapping[str, int]
    names: int
    names_complete: bool
    canary_alive: bool | None = None
    witnesses: int = 0
    witnessed_size: int = 0

    @property
    def oldest_overdue_days(self) -> int:
        """For how many days the oldest item has been past its day: 0 on the day itself, or when nothing is due."""
        return (self.today - self.oldest_due).days if self.oldest_due else 0


@dataclass(slots=True, eq=False)
class Metrics:
    """The collectors of one application.

    Args:
        measure: measures; raises a RegisterError when something is not there, and then nothing but `up` is shown.
        monotonic: seconds that only grow.
    """

    measure: Callable[[], Sample | None]
    monotonic: Callable[[], float]
    _kept: Sample | None = field(default=None, init=False)
    _until: float = field(default=float("-inf"), init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def text(self) -> bytes:
        """Return the exposition."""
        collectors = CollectorRegistry(auto_describe=False)
        collectors.register(self)
        return generate_latest(collectors)

    def collect(self) -> Iterable[Metric]:
        """Yield every gauge (the protocol of prometheus_client's collectors)."""
        sample = self._sample()
        yield _gauge("up", "1 when everything that is measured could be measured", float(sample is not None))
        if sample is None:
            return
        for name, (help_text, value) in _gauges(sample).items():
            yield _gauge(name, help_text, value)
        by_kind = GaugeMetricFamily(
            f"{PREFIX}workers", "Processes with a lease, which hold keys, by kind", labels=("kind",)
        )
        for kind, count in sorted(sample.workers.items()):
            by_kind.add_metric((kind,), count)
        yield by_kind

    def _sample(self) -> Sample | None:
        with self._lock:
            now = self.monotonic()
            if now >= self._until:
                self._kept, self._until = self.measure(), now + EVERY_SECONDS
            return self._kept


def _gauges(sample: Sample) -> dict[str, tuple[str, float]]:
    return {
        "subjects": ("Live subjects", sample.subjects),
        "signals": ("Live signals", sample.signals),
        "subjects_due": ("Subjects past their day that are still there", sample.due),
        "reviews_late": ("Live subjects whose review is overdue", sample.reviews_late),
        "oldest_overdue_days": ("Days since the day of the oldest subject that is due", sample.oldest_overdue_days),
        "signals_taken_in_7d": ("Signals taken in during the last seven days", sample.taken_in),
        "records_purged_7d": ("Subjects and signals deleted by runs during the last seven days", sample.purged),
        "checkpoint_age_seconds": ("Seconds since the newest checkpoint was signed", _age(sample, sample.sealed_at)),
        "certificate_age_seconds": (
            "Seconds since the newest certificate was issued",
            _age(sample, sample.certified_at),
        ),
        "log_entries": ("Entries in the audit log", sample.log_size),
        "log_witnesses": ("Witnesses that cosigned the newest witnessed checkpoint; 0: nobody", sample.witnesses),
        "log_entries_witnessed": ("Entries of the newest checkpoint that enough witnesses saw", sample.witnessed_size),
        "names_loaded": ("Mentions whose names are in memory", sample.names),
        "names_complete": ("1 once all names are in memory", float(sample.names_complete)),
        "canary_alive": (
            "1 when the made-up record with a term of one day outlived it, 0 when it did not; NaN: there is none",
            NAN if sample.canary_alive is None else float(sample.canary_alive),
        ),
    }


def _gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, help_text, value=value)


def _age(sample: Sample, at: datetime | None) -> float:
    return NAN if at is None else (sample.at - at).total_seconds()
