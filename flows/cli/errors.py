"""How a command ends that cannot go on: one line, and an exit code."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from flows.errors import FlowError
from flows.text import visible

INTERRUPTED = 130


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn a user's mistake, and Ctrl-C, into one line and an exit code."""
    try:
        yield
    except FlowError as error:
        typer.echo(f"error: {visible(error)}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("interrupted: finished stages are kept, run again to go on", err=True)
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and a closed terminal unwind as Ctrl-C does, so that stages and Prefect's server end too."""

    def leave(number: int, _: object) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
