"""One section of a parameters file, without the others."""

from pathlib import Path
from typing import TypeVar

from stages.lib.core.errors import UserError
from stages.lib.core.params import Params
from stages.lib.core.params_file import PARAMS_FILE, check_section, read_file

Section = TypeVar("Section", bound=Params)


def read_section(name: str, kind: type[Section], file: Path = PARAMS_FILE) -> Section:
    """Read section `name` as a `kind`.

    Raises:
        UserError: with the mistakes of this section, as the stages word them.
    """
    found = check_section(name, kind, read_file(file))
    if isinstance(found, list):
        raise UserError(f"{file}: " + "; ".join(found))
    return found
