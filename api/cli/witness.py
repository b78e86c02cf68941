"""`witness`: cosign a log's checkpoints on another machine. Imports no driver, no web framework, no key store."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.cli.client import fail
from register.clock import SystemClock

if TYPE_CHECKING:
    from evidence.witness import Witness

witness = typer.Typer(no_args_is_help=True, help="Witness a log from another machine, so that it cannot be rewritten.")

NAME: Final = "name"
Own = Annotated[Path, typer.Argument(help="The witness's own folder.", file_okay=False)]
LogFolder = Annotated[Path, typer.Argument(help="Folder of the log: checkpoint, tile.", file_okay=False)]


@witness.callback()
def witnessing() -> None:
    """Witness a log from another machine, so that it cannot be rewritten."""


@witness.command("init")
def init(
    folder: Own,
    name: Annotated[str, typer.Option(help="Name of the witness, such as witness.example/w1.")],
    log: Annotated[Path, typer.Option(help="The log's `vkey` file, from a place you trust.")],
) -> None:
    """Make a witness: its keys, and the log it knows. Prints its own verifier keys, for those who are to trust it."""
    from evidence.note import encode_vkeys
    from vault.signing import LogKeys

    LogKeys.create(folder)
    (folder / NAME).write_text(f"{name}\n", "utf-8")
    made = _opened(folder)
    made.know(log.read_bytes())
    typer.echo(encode_vkeys(made.keys).decode("ascii"), nl=False)


@witness.command("request")
def request(
    folder: LogFolder,
    known: Annotated[int, typer.Option(min=0, help="Size of the log that the witness cosigned last.")] = 0,
    of: Annotated[
        Path | None, typer.Option(help="A signed checkpoint to ask for; default: the newest. So several sign the same.")
    ] = None,
) -> None:
    """Write, at the register, what a witness is asked: a checkpoint, and that it continues the one before."""
    from evidence.checkpoint import Checkpoint
    from evidence.log import Log
    from evidence.note import Note
    from evidence.witness import Request

    note = (of or folder / "checkpoint").read_bytes()
    head = Checkpoint.parse(Note.parse(note).text)
    with Log.open(folder, read_only=True) as log:
        proof = log.consistency(known, head.size) if known else ()
    sys.stdout.buffer.write(Request(old=known, proof=proof, checkpoint=note).encode())


@witness.command("sign")
def sign(
    folder: Own,
    path: Annotated[Path, typer.Argument(metavar="REQUEST", help="What the log asks.")],
    with_checkpoint: Annotated[
        bool, typer.Option("--with-checkpoint", help="Print the checkpoint too: a file for `log/cosignatures`.")
    ] = False,
) -> None:
    """Cosign, at the witness, what `request` wrote; print the lines. A log that went back or forked is refused."""
    from evidence.witness import MAX_REQUEST, Request

    with open(path, "rb") as file:
        asked = Request.parse(file.read(MAX_REQUEST + 1))
    lines = _opened(folder).cosign(asked, at=SystemClock().now())
    sys.stdout.buffer.write(asked.checkpoint + lines if with_checkpoint else lines)


@witness.command("follow")
def follow(
    folder: Own,
    log: Annotated[Path, typer.Option(help="The log's new `vkey` file.")],
    proof: Annotated[Path, typer.Option(help="From its folder `succession`: how the keys known vouch for these.")],
) -> None:
    """Take up the log's new keys, at the witness, once the ones it knows vouch for them."""
    origin = _opened(folder).follow(log.read_bytes(), proof.read_bytes())
    typer.echo(f"{origin}: the new keys are known")


@witness.command("add")
def add(
    folder: LogFolder,
    path: Annotated[Path, typer.Argument(metavar="REQUEST", help="What was asked.")],
    cosignatures: Annotated[Path, typer.Argument(help="What the witness answered.")],
    vkey: Annotated[Path, typer.Option(help="The witness's verifier keys, from a place you trust.")],
) -> None:
    """Verify a witness's cosignatures, at the register, and publish them with the checkpoint they are of."""
    from evidence.checkpoint import publish
    from evidence.durable import write_durably
    from evidence.log import Log
    from evidence.note import Note, parse_vkeys
    from evidence.witness import Request, cosigned
    from vault.signing import SignatureVerifier

    asked = Request.parse(path.read_bytes()).checkpoint
    keys = parse_vkeys(vkey.read_bytes())
    made = cosigned(asked, cosignatures.read_bytes(), keys, SignatureVerifier())
    with Log.open(folder):  # so that the keeper publishes none meanwhile
        write_durably(folder, [("witnessed", made)])
        current = (folder / "checkpoint").read_bytes()
        if Note.parse(current).text == Note.parse(made).text:
            publish(folder, cosigned(current, cosignatures.read_bytes(), keys, SignatureVerifier()))


def _opened(folder: Path) -> "Witness":
    from evidence.witness import Witness
    from vault.signing import LogKeys, SignatureVerifier

    try:
        name = (folder / NAME).read_text("utf-8").strip()
    except OSError:
        fail("there is no witness in that folder: run `theme-register witness init` first")
    return Witness(folder, name=name, signer=LogKeys.load(folder), verifier=SignatureVerifier())
