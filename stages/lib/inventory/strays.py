"""Bad things beside good ones: the first of them is an error, or all are set aside, named and counted.

The rule: what a person has not seen to work yet must be clear, so a stray is an error (`split.strays: error`). Where
the rest is known to work (`set_aside`, as retraining sets it), a few strays do not stop it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from stages.lib.core.errors import UserError
from stages.lib.images.set_aside import STRAY
from stages.lib.inventory.contents import Rejected

_WAY_OUT = "mend it, or let the rest go on with split.strays: set_aside"


@dataclass
class Strays:
    """What does not fit the rest.

    Attributes:
        allowed: whether it may be set aside.
        most: files that may be.
        share: of a class's files that may be damaged.
        files: why, by the name of the file or folder, or of the row of a table.
        classes: why, by the class.
        damaged: why, by a class of which only that is set aside.
    """

    allowed: bool = False
    most: float = 0
    share: float = 1
    files: dict[str, str] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)

    def put(self, error: UserError, names: Iterable[str], label: str | None = None, stays: bool = False) -> None:
        """Set aside what is wrong.

        Args:
            error: what is wrong, as it is said where nothing may be set aside.
            names: of what.
            label: of the class, if it is wrong with all of it.
            stays: whether the class stays, with what is left of it.

        Raises:
            UserError: that one, where nothing may be set aside.
        """
        if not self.allowed:
            error.args = (f"{error.args[0]}; {_WAY_OUT}", *error.args[1:])
            raise error
        if label is not None:
            (self.damaged if stays else self.classes).setdefault(label, str(error))
        for name in names:
            self.files.setdefault(name, str(error))

    def listed(self) -> list[Rejected]:
        """All of them with their reasons, the classes first."""
        damaged = {label: f"{reason}; its other files stay" for label, reason in self.damaged.items()}
        classes = [*self.classes.items(), *damaged.items()]
        return [Rejected(f"class {label}", f"{STRAY}{reason}") for label, reason in classes] + self.listed_files()

    def listed_files(self) -> list[Rejected]:
        """Files, folders and rows with their reasons."""
        return [Rejected(name, f"{STRAY}{reason}") for name, reason in self.files.items()]
