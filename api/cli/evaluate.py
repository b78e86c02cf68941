"""`retention evaluate`: what the law says of made-up or exported facts, offline. Needs no server and no key."""

import sys
from pathlib import Path
from typing import Annotated

import typer

File = Annotated[typer.FileBinaryRead, typer.Argument(metavar="FILE", help="NDJSON; - is standard input.")]
PolicyFile = Annotated[
    list[Path] | None,
    typer.Option(exists=True, dir_okay=False, help="A policy file of your own, in place of the shipped ones."),
]


def shipped() -> None:
    """List the policies that come with the software, the versions that others replace too; each with its digest."""
    from api.cli import show
    from retention.policy import shipped_every, standing

    every = shipped_every()
    current = standing(every)
    rows = ((one.version, "yes" if one in current else "no", one.digest, one.title) for one in every)
    show.table("policies", ("version", "in force from its date", "SHA-256", "title"), rows)


def impact(
    file: File,
    to: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The policy file that would take effect.")],
    from_: Annotated[
        Path | None, typer.Option("--from", exists=True, dir_okay=False, help="The policy to compare with.")
    ] = None,
) -> None:
    """Say what another policy would change for the cases of a file, as `retention cases` writes them; then the counts.

    Compared with the shipped policy that is in force from the latest day, unless another is named. Exits with 1 when a
    line is no case.
    """
    from api.exchange.evaluation import impacts, told
    from retention.policy import load, shipped_every, standing

    latest = max(standing(shipped_every()), key=lambda policy: policy.valid_from)
    old = load(from_.name, from_.read_bytes()) if from_ else latest
    failed = False
    for line, read in told(impacts(file, old, load(to.name, to.read_bytes()))):
        failed = failed or not read
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
    if failed:
        raise SystemExit(1)


def evaluate(file: File, policy_file: PolicyFile = None) -> None:
    """Say for each case of a file where it stands on its date, and why; one line of JSON each, in and out.

    Exits with 1 when a case cannot be computed: its line then names every fault (docs/formats/retention-case-v1.md).
    """
    from api.exchange.evaluation import answers, told
    from retention.policy import load, shipped_every

    policies = [load(path.name, path.read_bytes()) for path in policy_file or ()] or shipped_every()
    failed = False
    piped = file is sys.stdin.buffer  # somebody may wait for each answer
    for line, computed in told(answers(file, policies)):
        failed = failed or not computed
        sys.stdout.buffer.write(line)
        if piped:
            sys.stdout.buffer.flush()
    sys.stdout.buffer.flush()
    if failed:
        raise SystemExit(1)
