"""A host is lost: keys and log come back from a replica, survivors open, what was purged does not, the log goes on."""

import json
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from api.anchors import anchor_of
from api.exchange.signal_v1 import to_json
from api.replicas import at
from api.wiring import workplace
from evidence.log import Log
from register.audit import Act, Entry
from register.clock import SystemClock, civil_date
from register.ids import RunId, mint
from tests.builders import a_signal
from tests.journeys.installation import Installation
from tests.vault.builders import gone
from vault.keystore.purge import Purge
from vault.keystore.rows import KeyKind
from vault.keystore.store import KeyStore

TODAY = civil_date(SystemClock().now())


@pytest.fixture
def replicated(register: Installation, tmp_path: Path) -> tuple[Installation, Path]:
    """A register with twenty signals, and a replica of it."""
    path = tmp_path / "signals.ndjson"
    path.write_bytes(b"".join(to_json(a_signal(reference=f"r-{n}", received_on=TODAY)) + b"\n" for n in range(20)))
    register.json("import", str(path), "--contributor", "douane")
    replica = tmp_path / "replica"
    assert register.json("keys", "replicate", "add", "vault-two", "--to", str(replica))["generation"] == 1
    return register, replica


def signals(register: Installation) -> list[str]:
    with workplace(register.settings, "doctor") as opened:
        return sorted(one.facts.id for one in opened.erasure.signals())


def purged(register: Installation, *ids: str) -> None:
    """The key store's side of a purge of `ids`."""
    with workplace(register.settings, "run") as opened:
        purge = Purge(opened.store)
        lease = purge.lease("keeper", now=opened.clock.now(), seconds=60)
        assert lease is not None
        purge.forget(RunId(mint()), gone(ids), version=purge.advance_anchor(), fence=lease.fence)
        purge.destroy_old(fence=lease.fence)
        purge.release(lease)


def opened_keys(keys: KeyStore, ids: list[str]) -> set[str]:
    return {name for _, name in keys.value_keys(ids, KeyKind.SIGNAL)}


def failure(register: Installation, *arguments: str) -> str:
    done = subprocess.run(
        register.command(*arguments), env=register.environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, done.stdout
    return done.stderr


def test_a_lost_host_is_reopened_from_its_replica(replicated: tuple[Installation, Path], tmp_path: Path) -> None:
    register, replica = replicated
    first, *others = signals(register)
    before = Path(shutil.copytree(replica, tmp_path / "before"))
    purged(register, first)
    status = register.json("keys", "replicate", "status")["replicas"]
    assert [(one["current"], one["rows_missing"]) for one in status] == [(False, None)]
    assert any(
        one["state"] == "replica.behind" for one in json.loads(register.run("doctor", "--json", status=1))["findings"]
    )
    register.json("keys", "replicate", "run")
    witnessed = (register.home / "log" / "checkpoint").read_bytes()
    status = register.json("keys", "replicate", "status")["replicas"]
    assert [(one["current"], one["rows_missing"]) for one in status] == [(True, 0)]
    with Log.open(replica / "register", read_only=True) as log:
        size, root = log.head()
    shutil.rmtree(register.home)
    shutil.rmtree(register.settings.keys_folder)

    assert "[anchor.absent]" in failure(register, "keys", "replicate", "restore", "--from", str(mixed(before, replica)))
    told = register.json("keys", "replicate", "restore", "--from", str(replica))
    assert (told["generation"], told["log_entries"]) == (2, size)
    assert register.json("keys", "check")["hits"] == []
    with closing(KeyStore.open(register.settings.keys_folder, anchor_of(register.settings))) as store:
        assert opened_keys(store, [first, *others]) == set(others)
        assert store.purged([first]) == {first}
    with workplace(register.settings, "doctor") as opened:
        entry = Entry(at=opened.clock.now(), actor="system", role="system", act=Act.BODIES_DELETED)
        opened.trail.append([entry])
        assert opened.logbook.seal_trail()
    assert register.json("verify", "log", str(register.home / "log"))["status"] == "valid-but-not-witnessed"
    earlier = int(witnessed.splitlines()[1])
    with Log.open(register.home / "log", read_only=True) as log:
        assert log.size > size >= earlier
        assert log.root_at(size) == root
    assert "[register.exists]" in failure(register, "keys", "replicate", "restore", "--from", str(replica))


def mixed(old: Path, present: Path) -> Path:
    """An old copy of a replica, with the anchor that is there now."""
    shutil.rmtree(old / "anchor")
    shutil.copytree(present / "anchor", old / "anchor")
    return old


def test_control_an_old_copy_with_its_own_old_anchor_opens_what_was_purged(
    replicated: tuple[Installation, Path], tmp_path: Path
) -> None:
    """What the replica's own anchor is for: had it not destroyed the version before, this would be the replica."""
    register, replica = replicated
    first, *_ = signals(register)
    before = Path(shutil.copytree(replica, tmp_path / "before"))
    purged(register, first)
    register.json("keys", "replicate", "run")
    old = at(register.settings, before)
    with closing(KeyStore.open(before, anchor_of(old))) as store:
        assert opened_keys(store, [first]) == {first}


def test_a_replica_out_of_reach_holds_nobody_up_is_attested_later_or_struck_off_by_two(
    replicated: tuple[Installation, Path], tmp_path: Path
) -> None:
    register, replica = replicated
    away = replica.rename(tmp_path / "away")
    with register.serving(keeper=False):
        for code in ("chris", "cora"):
            register.enrol(code, "compliance-officer")
        register.enrol("rita", "reviewer")
    done = json.loads(register.run("keys", "replicate", "run", "--json", status=1))
    assert [(one["name"], one["reached"]) for one in done["replicas"]] == [("vault-two", False)]
    away.rename(replica)
    register.run("keys", "rotate")
    register.run("keys", "replicate", "run")
    assert [one["generation"] for one in bodies(register, "replica.attested")] == [1, 2]
    assert "[replica.two-officers]" in failure(register, *strike(register, "chris", "chris"))
    assert "[replica.two-officers]" in failure(register, *strike(register, "chris", "rita"))
    register.run(*strike(register, "chris", "cora"))
    assert register.json("keys", "replicate", "status")["replicas"] == []
    assert [one["approved_by"] for one in bodies(register, "replica.struck")] == ["chris cora"]


def strike(register: Installation, *codes: str) -> list[str]:
    files = [part for code in codes for part in ("--approved-by", str(register.key_file(code)))]
    return ["keys", "replicate", "strike", "vault-two", *files]


def bodies(register: Installation, act: str) -> list[dict[str, object]]:
    """Details of the log's entries of this act, in order."""
    with workplace(register.settings, "doctor") as opened:
        opened.logbook.seal_trail()
    shelf = register.home / "log" / "bodies" / "ledger"
    lines = [line for path in sorted(shelf.iterdir()) for line in path.read_bytes().splitlines()]
    found = [json.loads(line.split(b" ", 2)[2]) for line in lines]
    return [one["detail"] for one in found if one["act"] == act]
