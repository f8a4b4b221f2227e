"""How a command ends that cannot go on: one line, and an exit code."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import typer

from flows.errors import FlowError
from flows.execution.signals import ENDING
from flows.exit_codes import ExitCode
from flows.faults import fault_of
from flows.terminal.bars import is_lively, silence_bars
from safety.text import visible

_BY_SIGNAL = {128 + number for number in ENDING}  # exit codes


@contextmanager
def one_line_errors(command: str = "") -> Iterator[None]:
    """Turn a user's mistake, a fault of the machine or of a server, and a signal into one line and an exit code.

    DVC draws no bars at a terminal that does not draw, for as long as the process lives.

    Args:
        command: what goes on where a signal has stopped it, if anything does.
    """
    if not is_lively():
        silence_bars()
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as error:
        if isinstance(error, SystemExit) and error.code not in _BY_SIGNAL:
            raise
        more = f"; what was done is kept; `smallset {command}` goes on where it stopped" if command else ""
        # A closed terminal takes no words.
        with suppress(OSError):
            typer.echo(f"stopped{more}", err=True)
        if isinstance(error, SystemExit):
            raise
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except Exception as error:
        found = None if isinstance(error, typer.Exit) else _known(error)
        if found is None:
            raise
        # What was shown before it comes before it, also where both go into one file.
        sys.stdout.flush()
        typer.echo(f"error: {visible(found)}", err=True)
        if found.hint:
            typer.echo(visible(found.hint), err=True)
        raise typer.Exit(found.code) from None


def _known(error: Exception) -> FlowError | None:
    if "prefect" in sys.modules:
        from flows.execution.prefect_errors import ServerError, described

        if reason := described(error):
            return ServerError(reason)
    return fault_of(error)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and a closed terminal unwind as Ctrl-C does, so that stages and Prefect's server end too.

    The first signal decides: one that comes while stages are being ended, which takes some seconds, cuts nothing short.
    """
    came: list[int] = []

    def leave(number: int, _: object) -> None:
        if came:
            with suppress(OSError):
                os.write(2, b"ending already: stages are ended first, which takes some seconds\n")
            return
        came.append(number)
        _end(number)

    before = {number: signal.signal(number, leave) for number in ENDING}
    try:
        yield
    except Exception as error:
        # A library in whose code a signal came may raise an error of its own in its place, as pydantic does.
        if came and not isinstance(error, typer.Exit) and _known(error) is None:
            _end(came[0])
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int) -> NoReturn:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)
