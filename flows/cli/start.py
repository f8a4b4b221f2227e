"""The command `smallset`, where all of the pipeline is installed or only what predicts."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec


def main() -> None:
    """Run the command that the arguments ask for; without what it needs, say in one line how to get it."""
    sys.exit(run(sys.argv[1:]))


def run(words: Sequence[str]) -> int:
    """The same of any words; returns the exit code.

    `predict`, `verify` and `serve` load neither typer nor anything else of the pipeline that they do not need.
    """
    from smallset.cli import commands

    if words[:1] and words[0] in commands.COMMANDS:
        from flows.cli import predict_command

        return predict_command.run(words)
    if find_spec("typer") is not None:
        from flows.cli import app

        app.main()
        return 0
    if not words or words[0].startswith("-"):
        return commands.run(words)
    print(
        f"error: `smallset {words[0]}` belongs to the pipeline, and only what predicts is installed: "
        "pip install '.[pipeline]' in a clone",
        file=sys.stderr,
    )
    return 1
