"""The command `theme-register`. Heavy imports sit inside the command functions: help and verifying stay quick."""

import sys
import traceback
from typing import Final

import typer

from api.cli import (
    archive,
    ask,
    audit,
    backup,
    batches,
    ends,
    evaluate,
    folder,
    hold,
    keys,
    outlook,
    policies,
    replicas,
    retention,
    returns,
    review,
    users,
    verify,
    witness,
    worker,
)
from register.errors import RegisterError

EXIT_UNFORESEEN: Final = 70
"""Exit status of an error that nobody foresaw (EX_SOFTWARE of sysexits.h)."""

app = typer.Typer(
    name="theme-register",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: drawing it nicely takes longer than most commands
    help="A register of soft signals about bribery of officials that provably forgets them when the law says so.",
)
app.command()(folder.init)
app.command()(folder.serve)
app.command()(folder.keep)
app.command()(folder.demo)
app.command("import")(folder.import_signals)
app.command()(folder.doctor)
app.add_typer(folder.ports, name="ports")
app.command()(ask.find)
app.command()(ask.subject)
app.command()(ask.signal)
app.command()(ask.source)
app.command()(ask.network)
app.command()(ask.paths)
app.add_typer(batches.batch, name="batch")
app.add_typer(review.review, name="review")
app.add_typer(ends.end, name="end")
app.add_typer(ends.desk, name="desk")
app.add_typer(hold.hold, name="hold")
app.add_typer(returns.return_, name="return")
app.add_typer(retention.retention, name="retention")
retention.retention.command()(evaluate.evaluate)
retention.retention.add_typer(policies.policies, name="policies")
retention.retention.command()(evaluate.impact)
retention.retention.command()(outlook.cases)
retention.retention.command()(outlook.explain)
retention.retention.command()(outlook.calendar)
retention.retention.command()(outlook.rehearse)
retention.retention.command()(outlook.processing)
app.add_typer(retention.certificate, name="certificate")
app.add_typer(archive.archive, name="archive")
app.add_typer(audit.audit, name="audit")
app.add_typer(backup.backup, name="backup")
app.add_typer(verify.verify, name="verify")
app.add_typer(witness.witness, name="witness")
keys.keys.add_typer(replicas.replicate, name="replicate")
app.add_typer(keys.keys, name="keys")
app.add_typer(users.users, name="users")
app.add_typer(worker.worker, name="worker", hidden=True)


def main() -> None:
    """Run the command line; the register's own errors end it with exit status 1 and one message."""
    try:
        app()
    except RegisterError as error:
        typer.echo(f"theme-register: {error.message} [{error.code}]", err=True)
        sys.exit(1)
    except Exception as error:
        # Its text may quote what it was handed; where it came from says enough.
        where = "".join(traceback.format_tb(error.__traceback__))
        typer.echo(f"{where}theme-register: unforeseen {type(error).__name__}", err=True)
        sys.exit(EXIT_UNFORESEEN)
