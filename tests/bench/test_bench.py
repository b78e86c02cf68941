"""Each bench runs, at a tiny size, and says what it promises; how fast anything is, no test says."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from bench import __main__ as bench
from bench import background, growth, hub, intake, keys, name_search, network, removal, residue, seals, single
from bench.report import percentile
from bench.stopwatch import Stopwatch

MACHINE = {"processor", "cores", "memory_gib", "system", "python", "neo4j", "driver", "theme-register", "load_1_min"}


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one line on standard output."""
    (told,) = capsys.readouterr().out.splitlines()
    found: dict[str, Any] = json.loads(told)
    return found


def test_intake(capsys: pytest.CaptureFixture[str]) -> None:
    """C01: how fast signals come."""
    intake.main(["--signals", "80", "--rounds", "1", "--warm-up", "10", "--json"])
    told = line(capsys)
    assert told["bench"] == "intake"
    assert set(told["machine"]) == MACHINE
    assert (told["sizes"]["signals"], told["sizes"]["Signal"]) == (80, 80)
    assert told["ratio"] == pytest.approx(told["signals_per_second"] / told["peer_signals_per_second"], abs=0.01)
    assert {"null_cipher_signals_per_second", "encryption_share", "peak_memory_mib"} <= set(told)
    assert list(told["rounds"]) == ["round 1"]
    assert list(told["profile"]) == ["parse", "check", "compose", "lookup", "seal", "key store", "graph"]
    assert sum(phase["share"] for phase in told["profile"].values()) == pytest.approx(1, abs=0.01)


def test_one_signal_over_http(capsys: pytest.CaptureFixture[str]) -> None:
    single.main(["--signals", "75", "--warm-up", "5", "--json"])
    told = line(capsys)
    sides = told["one signal"]
    assert set(sides) == {"register", "peer"}
    assert all(0 < one["p50_ms"] <= one["p95_ms"] for one in sides.values())
    assert told["ratio_p50"] == pytest.approx(sides["register"]["p50_ms"] / sides["peer"]["p50_ms"], abs=0.01)


def test_seals_are_counted_with_the_cipher_and_with_none(capsys):
    seals.main(["--signals", "20", "--rounds", "1", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (told["bench"], told["sizes"]["signals"]) == ("seals", 20)
    assert set(told["rates"]) == {"AES-256-GCM", "null cipher"}
    assert all(rate > 0 for side in told["rates"].values() for rate in side.values())


def test_the_key_side_of_a_purge(capsys: pytest.CaptureFixture[str]) -> None:
    keys.main(["--rows", "120", "600", "--purged", "40", "--rounds", "1", "--json"])
    told = line(capsys)
    assert list(told["purges"]) == ["120 rows", "600 rows"]
    for one in told["purges"].values():
        steps = ("new_anchor_version_s", "rewrapped_and_dropped_s", "old_anchor_destroyed_s")
        assert one["purge_s"] == pytest.approx(sum(one[step] for step in steps), abs=0.02)


def test_network(capsys: pytest.CaptureFixture[str]) -> None:
    network.main(["--signals", "80", "--starts", "8", "--warm-up", "2", "--json"])
    told = line(capsys)
    assert told["sizes"]["starts"] == 8
    for question in ("network", "paths"):
        measured = told["questions"][question]
        assert measured["p50_ms"] <= measured["p95_ms"]
        assert measured["ratio_p50"] == pytest.approx(measured["p50_ms"] / measured["peer_p50_ms"], abs=0.01)
        assert measured["links_on_average"] > 0


def test_removal(capsys: pytest.CaptureFixture[str]) -> None:
    """C01: how fast records go, beside a plain database."""
    removal.main(["--subjects", "120", "--due", "30", "--rounds", "1", "--warm-up", "20", "--json"])
    told = line(capsys)
    assert told["signals"] == told["destroyed"]["signal"]["number"] == 45
    assert told["destroyed"]["subject"]["number"] == 30
    assert told["destroyed"]["redacted"]["number"] == 3
    assert told["ratio"] == pytest.approx(told["peer_seconds"] / told["seconds"], abs=0.01)
    assert sum(step["seconds"] for step in told["steps"].values()) <= told["seconds"] + 0.01
    assert {"plan", "archive and erase", "replace keys", "read back", "certify"} <= set(told["steps"])
    assert told["of_intake"] == pytest.approx(told["signals_per_second"] / told["intake_signals_per_second"], abs=0.01)


def test_a_hub_goes_beside_a_reader_and_a_contributor(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """C07: 100,000 links by default; here that it goes, and that both are served meanwhile."""
    monkeypatch.setattr("bench.beside.BEFORE", 1.0)
    hub.main(["--links", "60", "--each", "6", "--around", "40", "--json"])
    told = line(capsys)
    assert {name: one["number"] for name, one in told["gone"].items()} == {
        "mention": 10,
        "link": 60,
        "redacted": 10,
        "archived": 1,
    }
    assert all(told["beside"][who]["alone"] > 0 for who in ("reader", "contributor"))
    assert told["ratio"] == pytest.approx(told["peer_seconds"] / told["seconds"], abs=0.001)


def test_growth(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("DUE", 8), ("STARTS", 4), ("ASKED", 8), ("HANDED_IN", 8)):
        monkeypatch.setattr(f"bench.growth.{name}", few)
    growth.main(["--subjects", "30", "--json"])
    told = line(capsys)
    assert (told["sizes"]["small_Subject"], told["sizes"]["large_Subject"]) == (30, 300)
    assert told["sizes"]["large_links"] == pytest.approx(1500, rel=0.02)
    for cost in told["milliseconds"].values():
        assert cost["ratio"] == pytest.approx(cost["large"] / cost["small"], rel=0.01)


def test_what_is_left_in_files_without_any_key(capsys: pytest.CaptureFixture[str]) -> None:
    """Sealed bytes of who was removed lie on in the graph's files; their keys and tokens lie nowhere."""
    residue.main(["--signals", "80", "--share", "0.3", "--json"])
    told = line(capsys)
    left = told["residue"]
    assert told["sizes"]["removed"] >= 0.3 * told["sizes"]["subjects"]
    for what in ("sealed label in the store files", "sealed text in the store files"):
        assert left[what]["of_all_before"] == left[what]["of_removed_after"] == 1
    for what in ("wrapped key", "lookup token", "subject id", "signal id"):
        rest = left[f"{what} in the key store"]
        assert rest["removed"] > 0
        assert (rest["of_all_before"], rest["of_removed_after"]) == (1, 0)
    assert told["alone by shape"]["0 steps"]["by_shape_alone"] < told["alone by shape"]["2 steps"]["by_shape_alone"]


PAIRS = (
    ("Adriaan van Zandhave", "Adrian van Zandhaven", "true"),
    ("Renske Brakelmeer", "Brakelmeer, Renske", "true"),
    ("Tjeerd Kribbelaar", "Hedda Tidesworth", "false"),
    ("Zwaluwenhof B.V.", "Zwaluwenhof BV", "true"),
    ("Renske Brakelmeer", "?", "true"),
)


@pytest.fixture
def pairs(tmp_path: Path) -> tuple[Path, Path]:
    """A file of labelled pairs, and one without labels."""
    labelled, other = tmp_path / "labelled.csv", tmp_path / "other.csv"
    with labelled.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("name1", "name2", "is_match"), *PAIRS])
    other.write_text("query_name,result_name,ofac_score\nVEERLE ULVENES,Veerle Ulvenes,100\n", "utf-8")
    return labelled, other


def test_names(capsys: pytest.CaptureFixture[str], pairs: tuple[Path, Path]) -> None:
    given = ["--pairs", *map(str, pairs), "--background", "300", "--warm-up", "5", "--json"]
    bench.main(["name_search", *given])
    told = line(capsys)
    assert list(told) == ["files"]
    counted = ["file", "pairs", "recall_at_1", "recall_at_10", "false_hits", "p50_ms", "p95_ms"]
    keys = [*counted, "peer_recall_at_10", "peer_p95_ms"]
    assert [list(one) for one in told["files"]] == [keys, keys]
    labelled, other = told["files"]
    assert (labelled["file"], labelled["pairs"], labelled["false_hits"]) == ("labelled.csv", 5, 0)
    assert labelled["recall_at_1"] == labelled["recall_at_10"] == 0.75
    assert labelled["peer_recall_at_10"] >= 0.5
    assert (other["pairs"], other["recall_at_10"], other["peer_recall_at_10"]) == (1, None, None)


def test_a_table_for_people(capsys: pytest.CaptureFixture[str], pairs: tuple[Path, Path]) -> None:
    name_search.main(["--pairs", str(pairs[0]), "--background", "10", "--warm-up", "1"])
    told = capsys.readouterr().out
    assert "labelled.csv" in told
    assert "neo4j" in told


@pytest.mark.parametrize("arguments", [["speed"], ["intake", "network", "--rounds", "2"]])
def test_what_cannot_be_run_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        bench.main(arguments)
    assert refused.value.code == 2
    assert capsys.readouterr().out == ""


def test_the_background_is_the_same_at_every_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(background, "LISTS", tmp_path / "absent")
    source, names = background.background(500)
    drawn = list(names)
    assert source == "made-up names"
    assert drawn == list(background.background(500)[1])
    assert len(set(drawn)) > 490
    assert all(len(name.split()) >= 3 for name in drawn)


@pytest.mark.shared_data
def test_the_background_of_real_names(shared_data: Path) -> None:
    source, names = background.background(500)
    drawn = list(names)
    assert source == "lists of real names"
    assert all(name.strip() for name in drawn)
    assert 300 < len(set(drawn)) <= 500


def test_a_stopwatch_counts_every_second_once() -> None:
    class Inner:
        def work(self) -> int:
            return sum(range(200_000))

    class Outer:
        def __init__(self, inner: Inner) -> None:
            self.inner = inner

        def work(self) -> int:
            return sum(range(100_000)) + self.inner.work()

    watch = Stopwatch()
    outer = watch.over("outer", Outer(watch.over("inner", Inner(), ("work",))), ("work",))
    assert watch.time("all", outer.work) == sum(range(200_000)) + sum(range(100_000))
    assert set(watch.wall) == {"all", "outer", "inner"}
    assert all(seconds > 0 for seconds in watch.wall.values())
    assert watch.wall["inner"] > watch.wall["all"]


def test_percentiles() -> None:
    assert percentile([7.0], 95) == 7.0
    assert percentile([float(one) for one in range(101)], 95) == 95.0
