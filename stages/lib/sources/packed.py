"""What of a source belongs in the raw archive: the same for the stage `download` and for a first look."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safety.words import counted, first_few
from stages.lib.core.errors import UserError
from stages.lib.images import set_aside
from stages.lib.sources.member import Member

_SHOWN = 3  # linked folders


@dataclass(frozen=True)
class Packed:
    """The members of a source.

    Attributes:
        kept: what may be an image, tables, and folders without files.
        aside: names of what is no image by its name.
    """

    kept: Sequence[Member]
    aside: Sequence[str]


def choose(source: Path, found: Sequence[Member]) -> Packed:
    """Divide the members of a source.

    Args:
        source: for the error.
        found: as `archives.members` yields them.

    Raises:
        UserError: nothing may be an image; it names the first that cannot be read, too.
    """
    kept = [member for member in found if set_aside.is_packed(member.name)]
    aside = [member.name for member in found if not set_aside.is_packed(member.name)]
    if all(member.is_folder or set_aside.is_set_aside(member.name) for member in kept):
        files = sum(not member.is_folder for member in found)
        what = f"{counted(files, 'file')}, all hidden or README, texts, tables or films" if files else "no file"
        frames = " (of films save single frames as images)" if any(map(set_aside.is_film, aside)) else ""
        wrong = [f"; {member.name}: {member.problem}" for member in found if member.problem]
        raise UserError(f"{source}: expected images, found {what}{frames}{''.join(wrong[:1])}")
    return Packed(kept, aside)


def unwatched(found: Sequence[Member]) -> list[str]:
    """A sentence that says what of a folder DVC does not watch, where links to folders are followed out of it; or none.

    Args:
        found: as `archives.members` yields them.
    """
    linked = sorted({member.through for member in found} - {""})
    if not linked:
        return []
    return [
        f"DVC does not see what changes where links to folders lead ({first_few(linked, _SHOWN)}): after such a change "
        "`dvc repro --force --single-item download`, then run again; links to files it follows"
    ]
