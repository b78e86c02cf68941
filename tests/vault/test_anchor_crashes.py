"""A purge killed between the anchor's steps and the key store's transaction, with each provider of anchors."""

import os
import signal as signals
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from register.accepted import AcceptedBatch
from register.errors import Tampered
from register.ids import RunId, mint
from register.sealed import SealedBatch
from tests.openbao import OpenBao
from tests.vault.builders import gone, one_signal
from tests.vault.conftest import REGISTER
from vault.anchors import Anchor
from vault.anchors.file import FileAnchor
from vault.anchors.passphrase import PassphraseAnchor
from vault.anchors.transit import TransitAnchor
from vault.keystore import KeyStore, Purge
from vault.sealing import Sealer

RUN = RunId("0" * 32)
POINTS = ("advanced", "rewritten", "committed", "destroyed")


@dataclass(frozen=True)
class Dying:
    """An anchor whose process is killed at one point of the purge; with no point it is that anchor."""

    inner: Anchor
    point: str = ""

    @property
    def kind(self) -> str:
        return self.inner.kind

    @property
    def assurance(self) -> str:
        return self.inner.assurance

    def advance(self) -> int:
        version = self.inner.advance()
        self._at("advanced")
        return version

    def wrap(self, version: int, blob: bytes, aad: bytes) -> bytes:
        self._at("rewritten")
        return self.inner.wrap(version, blob, aad)

    def unwrap(self, version: int, blob: bytes, aad: bytes) -> bytes:
        return self.inner.unwrap(version, blob, aad)

    def destroy_below(self, version: int) -> Mapping[str, str]:
        self._at("committed")
        evidence = self.inner.destroy_below(version)
        self._at("destroyed")
        return evidence

    def probe(self, version: int) -> bool:
        return self.inner.probe(version)

    def _at(self, point: str) -> None:
        if point == self.point:
            os.kill(os.getpid(), signals.SIGKILL)


@dataclass(frozen=True)
class Kept:
    """A register of two signals, the first of which is to be purged."""

    folder: Path
    anchor: Dying
    batches: tuple[AcceptedBatch, ...] = ()
    sealed: tuple[SealedBatch, ...] = ()

    def purge(self, point: str = "") -> None:
        anchor = replace(self.anchor, point=point)
        signal = self.batches[0]
        ids = [signal.signals[0].facts.id, *(one.id for one in signal.created)]
        with closing(KeyStore.open(self.folder, anchor)) as store:
            run = Purge(store)
            if run.forgotten(RUN) is None:
                what = gone(ids, signal.identifiers.values())
                run.forget(RUN, what, version=run.advance_anchor(), fence=1)
        with closing(KeyStore.open(self.folder, anchor)) as store:
            Purge(store).destroy_old(fence=1)

    def version(self) -> int:
        with closing(KeyStore.open(self.folder, self.anchor)) as store, store.reading() as connection:
            return int(connection.exec_driver_sql("SELECT anchor_version FROM register").scalar_one())

    def check(self) -> None:
        """The one that was purged opens no more, the other does."""
        with closing(KeyStore.open(self.folder, self.anchor)) as store:
            sealer = Sealer(store)
            assert sealer.open_signal(self.sealed[1].signals[0]).reference == "ref-1"
            with pytest.raises(Tampered):
                sealer.open_signal(self.sealed[0].signals[0])


MAKERS: Mapping[str, Callable[[Path], Anchor]] = {
    "file": lambda folder: FileAnchor(folder / "anchor"),
    "passphrase": lambda folder: PassphraseAnchor(folder / "anchor", "a crane, a quay and no envelope"),
}


@pytest.fixture(params=[*MAKERS, pytest.param("transit", marks=pytest.mark.openbao)])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    folder = tmp_path / "keys"
    if request.param in MAKERS:
        anchor = MAKERS[request.param](folder)
    else:
        server: OpenBao = request.getfixturevalue("openbao")
        anchor = TransitAnchor(server.address, f"theme-register-{mint()}", server.token_file(tmp_path))
    made = Kept(folder, Dying(anchor))
    with closing(KeyStore.init(folder, made.anchor, REGISTER, rehearsal=True)) as store:
        sealer = Sealer(store)
        batches = tuple(one_signal(reference=f"ref-{n}", number=f"NX{n:07}") for n in range(2))
        return replace(made, batches=batches, sealed=tuple(map(sealer.seal, batches)))


@pytest.mark.parametrize("point", POINTS)
def test_a_purge_that_was_killed_is_ended_by_the_next_and_uses_no_number_twice(kept: Kept, point: str) -> None:
    child = os.fork()
    if child == 0:
        try:
            kept.purge(point)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signals.SIGKILL
    committed = point in ("committed", "destroyed")
    assert kept.version() == (2 if committed else 1)
    assert kept.anchor.probe(2), "a version higher than the committed one is left alone"
    assert kept.anchor.probe(1) is (point != "destroyed")
    kept.purge()
    assert kept.version() == (2 if committed else 3)
    assert [kept.anchor.probe(version) for version in (1, 2, 3)] == [False, committed, not committed]
    assert kept.anchor.advance() == (3 if committed else 4)
    kept.check()
