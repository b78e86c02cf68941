"""What a copy of KEYS, made before a run, still opens afterwards: with a key server nothing, with a file everything."""

import json
import shutil
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.exchange.signal_v1 import to_json
from api.wiring import workplace
from register.errors import RegisterError
from register.sealed import SealedSignal
from tests.journeys.census import sealed_signals
from tests.journeys.installation import Installation
from tests.journeys.test_backlog import nobody
from tests.openbao import OpenBao


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A register after its run; `old_keys` is a copy of KEYS from before, `old` the sealed signals of before."""

    register: Installation
    old_keys: Path
    old: tuple[SealedSignal, ...]
    saved: Path
    assurance: set[str]


def ended(register: Installation) -> Ended:
    """Hand in two signals, copy the keys, and let a run remove the first."""
    with register.serving(keeper=False):
        for code, role in (("douane", "contributor"), ("chris", "compliance-officer")):
            register.enrol(code, role)
        for one in (nobody("k-1", days=40), nobody("k-2", days=10)):
            assert register.ask("douane", "POST", "/v1/signals", json.loads(to_json(one))).status_code == 201
    with workplace(register.settings, "test") as opened:
        old = tuple(sealed_signals(opened.graph))
        assert {opened.sealer.open_signal(one).reference for one in old} == {"k-1", "k-2"}
    due = min(one.facts.remove_by for one in old if one.facts.remove_by is not None).isoformat()
    old_keys = register.folder / "keys-of-before"
    shutil.copytree(register.settings.keys_folder, old_keys)
    saved = register.folder / "certificate"
    with register.serving():
        run = register.json("retention", "run", "--on", due, "--wait", "120", key="chris")
        assert run["state"] == "certified"
        (filed,) = register.json("certificate", "list", key="chris")["certificates"]
        register.run("certificate", "show", filed["certificate"], "--save", str(saved), key="chris")
    payload = json.loads((saved / "certificate.json").read_bytes())["payload"]
    stores = json.loads(b64decode(payload))["predicate"]["stores"]
    sure = {one["assurance"] for one in stores if one["method"] == "key-destruction"}
    return Ended(register=register, old_keys=old_keys, old=old, saved=saved, assurance=sure)


def opening(one: Ended) -> set[str]:
    """Return the references of the signals of before that open now; none where the keys themselves do not."""
    found = set()
    try:
        with workplace(one.register.settings, "test") as opened:
            for signal in one.old:
                try:
                    found.add(opened.sealer.open_signal(signal).reference)
                except RegisterError:
                    continue
    except RegisterError:
        return set()
    return found


def put_back(one: Ended) -> None:
    """Put the old folder back in the place of the present one."""
    present = one.register.settings.keys_folder
    shutil.move(present, one.register.folder / "keys-of-after")
    shutil.copytree(one.old_keys, present)


@pytest.mark.openbao
def test_with_a_key_server_an_old_copy_of_the_keys_opens_nothing_even_put_back(
    place: Installation, openbao: OpenBao, tmp_path: Path
) -> None:
    """R21, R33, C15: what a run destroyed stays destroyed for whoever kept a copy of graph and keys."""
    token = openbao.token_file(tmp_path)
    place.server |= {
        "THEME_REGISTER_ANCHOR_ADDRESS": openbao.address,
        "THEME_REGISTER_ANCHOR_TOKEN_FILE": str(token),
    }
    place.init(anchor="transit")
    one = ended(place)
    assert one.assurance == {"clear"}
    verified = place.run("verify", "certificate", str(one.saved), "--vkey", str(place.home / "log" / "vkey"))
    assert "assurance: clear" in verified
    assert opening(one) == {"k-2"}
    put_back(one)
    assert opening(one) == set()


def test_with_a_file_the_old_copy_put_back_opens_all_and_the_certificate_says_so(register: Installation) -> None:
    """R21: the control, and why the certificate of a file anchor promises less."""
    one = ended(register)
    assert one.assurance == {"logical"}
    vkey = ("--vkey", str(register.home / "log" / "vkey"))
    assert "assurance: logical" in register.run("verify", "certificate", str(one.saved), *vkey)
    assert opening(one) == {"k-2"}
    put_back(one)
    assert "k-1" in opening(one)
