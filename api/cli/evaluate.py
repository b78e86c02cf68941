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
