"""After a failed sync nothing is known about what is on the disk: the keeper's process ends, and a new one goes on."""

import subprocess
import sys
from pathlib import Path

import pytest

from api.founding import found
from api.places import register_of
from api.wiring import logbook, vouched
from evidence.survey import verify_log
from evidence.trust import Trust
from graph.connection import Graph
from graph.endpoint import Endpoint
from graph.trail import AuditTrail
from register.clock import SystemClock
from tests.journeys.conftest import place_on
from tests.journeys.test_trail_watch import entries
from vault.signing import SignatureVerifier

EX_IOERR = 74
KEEPING = """
import errno, os
real, part = os.fsync, {part!r}
def fsync(handle):
    if part in os.readlink(f"/proc/self/fd/{{handle}}"):
        raise OSError(errno.EIO, "the disk failed")
    real(handle)
os.fsync = fsync
import sys
from api.cli import main
sys.argv = ["theme-register", "keep"]
main()
"""


@pytest.mark.parametrize("part", ["/log/bodies/", "/log/tile/", "/log/.checkpoint.new", ".keys/log/.checkpoint.new"])
def test_a_keeper_whose_disk_failed_ends_and_the_next_one_seals(
    part: str, tmp_path: Path, neo4j_endpoint: Endpoint, graph: Graph
) -> None:
    place = place_on(neo4j_endpoint, tmp_path)
    found(place.settings, SystemClock(), rehearsal=True)
    with vouched(place.settings, neo4j_endpoint) as own:
        trail = AuditTrail(own)
        trail.append(entries(30))
        command = [sys.executable, "-c", KEEPING.format(part=part)]
        done = subprocess.run(command, env=place.environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == EX_IOERR, done.stderr
        log = logbook(place.settings, register_of(place.settings.home), trail, SystemClock())
        assert log.seal_trail() > 30
        numbers = trail.numbers(0)
    trust = Trust.of_vkeys((log.log_folder / "vkey").read_bytes())
    survey = verify_log(log.log_folder, trust, SignatureVerifier())
    assert survey.exit_code == 0
    assert (survey.size, numbers.waiting) == (numbers.all, 0)  # nothing lost, nothing twice
