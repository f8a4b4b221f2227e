"""The command `smallset` where only the package that predicts may be installed."""

import sys
from importlib.util import find_spec


def main() -> None:
    """Run the command that the arguments ask for; without what the pipeline needs, say in one line how to get it."""
    if find_spec("typer") is None:
        sys.exit(
            "error: `smallset` runs the pipeline, and only what predicts is installed: pip install '.[pipeline]' in a "
            "clone, or predict from Python: import smallset"
        )
    from flows.cli import app

    app.main()
