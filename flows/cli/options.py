"""What several commands have: options, and settings of those whose words another program reads."""

from typing import Annotated

import typer

from flows.cli import completion

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": list[str]()}
AsJson = Annotated[bool, typer.Option("--json", help="Everything, for programs.")]
Branch = Annotated[
    str | None,
    typer.Option(
        help="Whose runs; else the one that is checked out.", show_default=False, autocompletion=completion.branches
    ),
]
