"""What comes back of an archived record: each signal about its subject as signal/1, everybody else a placeholder."""

import json
from datetime import date

import pytest

from api.exchange.returned import FORMAT, export, exported
from register.errors import Invalid
from register.ids import ArchiveId
from register.signals import check
from tests.vault.builders import one_signal
from tests.vault.test_archive import DAY, Kept, kept, to_archive
from vault.sealing import Sealer

__all__ = ["kept"]


def opened(kept: Kept, sealer: Sealer):
    accepted = one_signal()
    batch = sealer.seal(accepted)
    one = batch.created[0]
    (made,) = kept.put(batch.signals, to_archive(one.facts.id, facts=one.facts))
    record = kept.opened(made)
    record["signals"][0]["facts"] |= {"source_grade": "B", "information_grade": "2"}  # as intake would have asked for
    return made, record, batch.signals[0]


def test_a_record_comes_back_as_a_signal_that_intake_takes(kept: Kept, sealer: Sealer) -> None:
    made, record, before = opened(kept, sealer)
    found = exported(json.loads(json.dumps(export(made.archive, record))))
    (signal,) = found.signals
    assert (found.archive, len(found.sha256)) == (made.archive, 64)
    (subject,) = signal.subjects
    mention = record["signals"][0]["mention"]
    assert list(subject.names) == mention["names"]
    assert signal.received_on == before.facts.received_on
    assert signal.handling.code == before.facts.handling
    assert signal.narrative == record["signals"][0]["texts"]["narrative"]
    assert all(link.to_ref in signal.ports for link in signal.links)
    faults = check(
        signal, today=DAY, harbours=lambda _: True, deadline=lambda _: date(2099, 1, 1), informant_months=1200
    )
    assert faults == ()


def test_a_signal_that_was_ended_early_stays_ended(kept: Kept, sealer: Sealer) -> None:
    made, record, _ = opened(kept, sealer)
    record["signals"][0]["facts"]["markings"] = ["=ended"]
    assert exported(export(made.archive, record)).signals == ()


def test_another_content_has_another_digest(kept: Kept, sealer: Sealer) -> None:
    made, record, _ = opened(kept, sealer)
    first = exported(export(made.archive, record))
    again = exported(json.loads(json.dumps(export(made.archive, record), indent=1)))
    other = exported(export(ArchiveId("00" * 16), record))
    assert first.sha256 == again.sha256 != other.sha256


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"format": FORMAT},
        {"format": FORMAT, "archive": "x", "record": {}},
        {"format": FORMAT, "archive": "00" * 16, "record": {}},
        {"format": FORMAT, "archive": "00" * 16, "record": {"signals": [{}], "facts": {}}},
        {"format": FORMAT, "archive": "00" * 16, "record": []},
    ],
)
def test_what_is_no_export_is_refused(wrong) -> None:
    with pytest.raises(Invalid):
        exported(wrong)
