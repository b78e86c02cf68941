"""Exports of the audit log: no cell is a formula, and a long one passes through little memory."""

import csv
import io
import json
import tracemalloc

import pytest

from api.http.export import COLUMNS, _csv, _ndjson, _row, safe
from register.logged import LoggedEntry


@pytest.mark.parametrize("cell", ["=1+1", "+31", "-cmd", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_taken_for_a_formula(cell):
    assert str(safe(cell))[0] == "'"
    assert safe("2026-11-24") == "2026-11-24"
    assert safe(-3) == -3


def made(number, **detail):
    targets = [f"{number:032x}", f"{number + 1:032x}"]
    coded = {"actor": "ana", "role": "analyst", "act": "subject.open", "outcome": "done", "purpose": "", "case": ""}
    body = {**coded, "id": f"{number:032x}", "at": "2026-11-24T02:00:00Z", "targets": targets, "count": 2}
    return LoggedEntry(index=number, body={**body, "detail": detail})


def test_csv_reads_back_as_what_was_logged():
    text = b"".join(_csv(COLUMNS, map(_row, [made(1, code='=x,"y"\n'), made(2)]))).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["index"] for row in rows] == ["1", "2"]
    assert rows[0]["targets"].split() == made(1).body["targets"]
    assert rows[0]["detail"] == 'code==x,"y"\n'
    assert text.splitlines()[0] == ",".join(COLUMNS)


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_a_hundred_thousand_entries_pass_through_little_memory(form):
    entries = (made(number) for number in range(100_000))
    tracemalloc.start()
    lines = _ndjson(entries) if form == "ndjson" else _csv(COLUMNS, map(_row, entries))
    count = sum(line.endswith(b"\n") for line in lines)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 100_000 + (form == "csv")
    assert peak < 1_000_000


def test_a_line_of_ndjson_is_the_body_as_it_was_logged_with_its_index():
    (line,) = _ndjson(iter([made(3, code="x")]))
    assert json.loads(line) == {"index": 3, **made(3, code="x").body}
