"""How `smallset --help` groups the commands, and in which order it names them."""

from typing import Any

from typer.core import TyperGroup

PANELS = {
    "Run": ("run", "use", "new", "upgrade", "retrain", "schedule"),
    "Look": ("status", "report", "log", "compare", "history", "show", "branch-point"),
    "Use": ("predict", "verify", "export", "serve"),
    "Keep": ("promote", "rollback", "hold", "release", "doctor", "clean", "dvc"),
}
_ORDER = [(panel, name) for panel, names in PANELS.items() for name in names]
_PANEL_OF = {name: panel for panel, name in _ORDER}
_PLACE_OF = {name: place for place, (_, name) in enumerate(_ORDER)}


class Grouped(TyperGroup):
    """The commands in their panels; one that has no panel yet comes last, in a panel without a name of its own."""

    def __init__(self, **options: Any) -> None:
        """Put each command into its panel."""
        super().__init__(**options)
        for name, command in self.commands.items():
            if name in _PANEL_OF:
                command.rich_help_panel = _PANEL_OF[name]  # type: ignore[attr-defined]

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands in the order of the panels."""
        return sorted(self.commands, key=lambda name: _PLACE_OF.get(name, len(_PLACE_OF)))
