"""A damaged or missing key store: one exact report of what is hit, by id; the rest opens; nothing is made anew."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from register.errors import Conflict, Invalid, RegisterError, Tampered, Unavailable
from register.ids import SignalId
from register.sealed import SealedBatch
from tests.vault.builders import batch, one_signal, signal
from tests.vault.places import KINDS, REGISTER, Place, new_place
from vault.anchors.file import FileAnchor
from vault.keystore import KeyStore, open_database
from vault.keystore.damage import Examined, examine
from vault.sealing import Sealer

SIGNALS = 150


@dataclass(frozen=True)
class Filled:
    """A key store with signals, each about two subjects of its own."""

    place: Place
    sealed: tuple[SealedBatch, ...]

    def examined(self) -> Examined:
        with closing(self.place.database()) as database:
            return examine(database, self.place.anchor)

    def opens(self) -> set[SignalId]:
        """Return the signals that open whole, with both subjects; what does not is said to be tampered with."""
        whole = set()
        with closing(self.place.open()) as store:
            sealer = Sealer(store)
            for one in self.sealed:
                try:
                    whole.add(sealer.open_signal(one.signals[0], with_source=True).id)
                except Tampered:
                    continue
        return whole

    def names_open(self) -> int:
        """Return how many names the table of names would get."""
        with closing(self.place.open()) as store:
            mentions = [one for each in self.sealed for one in each.signals[0].mentions]
            rows = ((one.facts.id, one.facts.subject, one.sealed["names"]) for one in mentions)
            return sum(names is not None for names in Sealer(store).open_names(rows))


def fill(place: Place, count: int) -> Filled:
    with closing(place.init()) as store:
        sealer = Sealer(store)
        accepted = [one_signal(reference=f"ref-{n}", number=f"NX{n:07}") for n in range(count)]
        sealed = tuple(map(sealer.seal, accepted))
        for one in sealed:
            sealer.settle(one)
    return Filled(place, sealed)


@pytest.fixture(scope="module", params=KINDS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    return fill(new_place(tmp_path_factory.mktemp("built") / "keys", server), SIGNALS)


@pytest.fixture
def filled(built: Filled, tmp_path: Path) -> Iterator[Filled]:
    copy = Filled(built.place.copied(tmp_path / "keys"), built.sealed)
    yield copy
    copy.place.drop()


ON_SQLITE = pytest.mark.parametrize("built", ["sqlite"], indirect=True)


def test_a_whole_store_has_no_hits(filled: Filled) -> None:
    found = filled.examined()
    assert (found.register, found.generation, found.closed, found.hits) == (REGISTER, 1, None, ())
    assert dict(found.rows) == {
        "keys": 3 + 4 * SIGNALS,
        "tokens": SIGNALS,
        "deliveries": SIGNALS,
        "revisions": 3 * SIGNALS,
    }


def test_each_row_that_is_hit_is_named_and_no_other(filled: Filled) -> None:
    hit, gone = filled.sealed[3].signals[0], filled.sealed[7].signals[0]
    subject = gone.mentions[0].facts.subject
    filled.place.run("UPDATE keys SET wrapped = X'00' WHERE id = ? AND kind = 'signal'", hit.facts.id)
    filled.place.run("DELETE FROM keys WHERE id = ?", subject)
    filled.place.run("UPDATE tokens SET wrapped = X'A2' WHERE identifier IN (SELECT min(identifier) FROM tokens)")
    found = filled.examined()
    assert found.closed is None
    assert [(one.table, one.kind, one.code, len(one.ids)) for one in found.hits] == [
        ("keys", "signal", "does-not-open", 1),
        ("keys", "subject", "absent", 1),
        ("tokens", "", "does-not-open", 1),
    ]
    assert [one.ids for one in found.hits[:2]] == [(hit.facts.id,), (subject,)]
    assert (found.lost("signal"), found.lost("subject")) == (1, 1)
    assert filled.opens() == {one.signals[0].facts.id for one in filled.sealed} - {hit.facts.id, gone.facts.id}
    assert filled.names_open() == 2 * SIGNALS - 1


def test_a_damaged_key_is_never_replaced_by_a_new_one(filled: Filled) -> None:
    known = filled.sealed[0].created[0].facts
    filled.place.run("UPDATE keys SET wrapped = X'00' WHERE id = ?", known.id)
    before = filled.place.run("SELECT * FROM keys ORDER BY id, kind")
    moved = replace(known, revision=2)
    again = batch([signal([moved], reference="new")], moved=[moved])
    with closing(filled.place.open()) as store, pytest.raises(Tampered):
        Sealer(store).seal(again)
    assert filled.place.run("SELECT * FROM keys ORDER BY id, kind") == before


@ON_SQLITE
def test_a_value_that_turned_into_another_type_is_a_row_that_cannot_be_read(filled: Filled) -> None:
    """One bit of SQLite's type makes text a blob; its own check of types does not look at what lies there already."""
    hit = filled.sealed[3].signals[0].facts.id
    for statement in (
        "CREATE TABLE unchecked AS SELECT * FROM keys",
        "DROP TABLE keys",
        "ALTER TABLE unchecked RENAME TO keys",
    ):
        filled.place.run(statement)
    filled.place.run("UPDATE keys SET kind = CAST(kind AS BLOB) WHERE id = ? AND kind = 'signal'", hit)
    found = filled.examined()
    assert ("keys", "signal", "absent", (hit,)) in [(one.table, one.kind, one.code, one.ids) for one in found.hits]
    assert found.rows["keys"] == 3 + 4 * SIGNALS - 1


@ON_SQLITE
@pytest.mark.parametrize("seed", range(12))
def test_torn_pages_cost_what_lay_on_them(filled: Filled, seed: int) -> None:
    """Pages are overwritten at random: what is not reported as hit opens, and what does not open is reported."""
    random = Random(seed)  # noqa: S311 - which pages
    file = filled.place.folder / "store" / "keys.sqlite"
    content = bytearray(file.read_bytes())
    for _ in range(random.randrange(1, 4)):
        at = 4096 * random.randrange(1, len(content) // 4096)
        content[at : at + 4096] = random.randbytes(4096)
    file.write_bytes(content)
    found = filled.examined()
    if found.closed is not None:
        with pytest.raises(RegisterError):
            filled.place.open()
        return
    lost = {one for hit in found.hits if hit.table == "keys" for one in hit.ids}
    opening = filled.opens()
    for one in filled.sealed:
        record = one.signals[0]
        ids = {record.facts.id, *(each.facts.subject for each in record.mentions)}
        assert record.facts.id in opening or ids & lost or found.rows["revisions"] < 3 * SIGNALS


@ON_SQLITE
@pytest.mark.parametrize("seed", range(8))
def test_single_bytes_that_turned_are_found(filled: Filled, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - which bytes
    file = filled.place.folder / "store" / "keys.sqlite"
    content = bytearray(file.read_bytes())
    for _ in range(40):
        content[random.randrange(4096, len(content))] ^= 1 << random.randrange(8)
    file.write_bytes(content)
    found = filled.examined()
    assert found.closed is not None or found.hits
    before = file.read_bytes()
    filled.examined()
    assert file.read_bytes() == before


@ON_SQLITE
@pytest.mark.parametrize(
    ("left", "code"),
    [(100, "keystore.damaged"), (4096, "keystore.damaged"), (20_000, "keystore.damaged")],
)
def test_a_file_cut_short_is_named_and_left_as_it_is(filled: Filled, left: int, code: str) -> None:
    file = filled.place.folder / "store" / "keys.sqlite"
    file.write_bytes(file.read_bytes()[:left])
    found = filled.examined()
    assert found.closed == code or found.hits
    with pytest.raises(Tampered):
        filled.place.open()
    assert file.stat().st_size == left


@ON_SQLITE
def test_an_empty_file_is_named_and_stays_empty(filled: Filled) -> None:
    file = filled.place.folder / "store" / "keys.sqlite"
    file.write_bytes(b"")
    with pytest.raises(Tampered) as caught:
        filled.place.open()
    assert caught.value.code == "keystore.damaged"
    assert file.stat().st_size == 0


@ON_SQLITE
def test_a_missing_or_exposed_store_is_named(filled: Filled) -> None:
    folder = filled.place.folder
    folder.chmod(0o755)
    with pytest.raises(Invalid):
        open_database(folder)
    folder.chmod(0o700)
    shutil.move(folder / "store" / "keys.sqlite", folder / "away")
    with pytest.raises(Unavailable) as caught:
        open_database(folder)
    assert caught.value.code == "keystore.absent"
    assert not (folder / "store" / "keys.sqlite").exists()
    with pytest.raises(Conflict):
        filled.place.init()


def test_an_anchor_that_is_gone_or_another_closes_everything_and_changes_nothing(filled: Filled) -> None:
    shutil.rmtree(filled.place.folder / "anchor")
    found = filled.examined()
    assert (found.closed, found.hits) == ("anchor.absent", ())
    assert found.rows["keys"] == 3 + 4 * SIGNALS
    FileAnchor(filled.place.folder / "anchor").advance()
    assert filled.examined().closed == "root.damaged"
    with pytest.raises(Tampered):
        KeyStore.open(filled.place.folder, filled.place.anchor, url=filled.place.url)
