"""C02: what monitoring reads says how old the oldest overdue item is and whether purging keeps up; no id among it."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.http.health import allowed
from api.metrics import EVERY_SECONDS, Metrics, Sample

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SAMPLE = Sample(
    at=NOW,
    today=date(2026, 11, 24),
    subjects=1200,
    signals=3400,
    due=2,
    reviews_late=3,
    oldest_due=date(2026, 11, 20),
    taken_in=700,
    purged=900,
    sealed_at=NOW - timedelta(seconds=3),
    certified_at=NOW - timedelta(hours=11),
    log_size=56789,
    workers={"api": 2, "import": 1},
    names=4100,
    names_complete=True,
)


def read(metrics: Metrics) -> dict:
    families = text_string_to_metric_families(metrics.text().decode())
    return {(one.name, tuple(one.labels.values())): one.value for family in families for one in family.samples}


def metrics(sample=SAMPLE):
    return Metrics(lambda: sample, lambda: 0.0)


def test_c02_the_oldest_overdue_item_and_both_rates_are_shown():
    shown = read(metrics())
    assert shown["theme_register_oldest_overdue_days", ()] == 4
    assert shown["theme_register_subjects_due", ()] == 2
    assert shown["theme_register_reviews_late", ()] == 3
    assert (shown["theme_register_signals_taken_in_7d", ()], shown["theme_register_records_purged_7d", ()]) == (
        700,
        900,
    )
    assert shown["theme_register_checkpoint_age_seconds", ()] == 3
    assert shown["theme_register_certificate_age_seconds", ()] == 11 * 3600
    assert shown["theme_register_workers", ("api",)] == 2
    assert shown["theme_register_names_loaded", ()] == 4100
    assert shown["theme_register_up", ()] == 1


def test_nothing_due_is_no_days_and_due_today_is_none_either():
    assert replace(SAMPLE, oldest_due=None).oldest_overdue_days == 0
    assert replace(SAMPLE, oldest_due=SAMPLE.today).oldest_overdue_days == 0


def test_c03_the_canary_is_shown_as_alive_dead_or_not_kept():
    name = ("theme_register_canary_alive", ())
    assert read(metrics(replace(SAMPLE, canary_alive=True)))[name] == 1
    assert read(metrics(replace(SAMPLE, canary_alive=False)))[name] == 0
    assert read(metrics())[name] != read(metrics())[name]  # NaN


def test_what_could_not_be_measured_is_not_shown_as_nothing():
    assert read(metrics(None)) == {("theme_register_up", ()): 0}


def test_no_id_and_no_code_stands_in_it():
    text = metrics().text().decode()
    assert not re.search(r"[0-9a-f]{32}", text)
    labels = set(re.findall(r'(\w+)="', text))
    assert labels == {"kind"}


def test_however_often_it_is_read_it_is_measured_once_in_a_while():
    times, measured = iter([0.0, 1.0, EVERY_SECONDS - 0.1, EVERY_SECONDS, EVERY_SECONDS + 1]), []

    def measure():
        measured.append(1)
        return SAMPLE

    kept = Metrics(measure, lambda: next(times))
    for _ in range(5):
        kept.text()
    assert len(measured) == 2


def test_two_applications_do_not_share_collectors():
    one, other = metrics(), metrics(replace(SAMPLE, subjects=1))
    assert read(one)["theme_register_subjects", ()] == 1200
    assert read(other)["theme_register_subjects", ()] == 1


@pytest.mark.parametrize(
    ("client", "networks", "may"),
    [
        ("127.0.0.1", "127.0.0.0/8,::1", True),
        ("::1", "127.0.0.0/8,::1", True),
        ("10.1.2.3", "127.0.0.0/8,::1", False),
        ("10.1.2.3", "127.0.0.0/8, 10.1.0.0/16", True),
        ("10.1.2.3", "", False),
        ("10.1.2.3", "everybody", False),
        ("", "0.0.0.0/0", False),
        ("unix", "0.0.0.0/0", False),
    ],
)
def test_who_may_read_it(client, networks, may):
    assert allowed(client, networks) is may
