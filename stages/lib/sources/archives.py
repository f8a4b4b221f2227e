"""Folders, zips and tars of images, read with suspicion."""

import io
import stat
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import pairwise
from pathlib import Path, PurePosixPath

from stages.lib.core.damage import check_expansion, check_members, check_room, readable, room
from stages.lib.core.errors import UserError
from stages.lib.images.set_aside import is_film, is_left_over
from stages.lib.sources.folders import unchanged, walk
from stages.lib.sources.member import Member
from stages.lib.sources.names import readable_name, safe_name
from stages.lib.sources.tars import check_end, opened_tar

_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_ENCRYPTED, _IN_UTF8 = 0x1, 0x800


@contextmanager
def members(source: Path, anywhere: bool = False) -> Iterator[list[Member]]:
    """Yield the files of a folder, a zip or a tar (plain, gzip, bzip2 or xz), sorted by name; nothing is unpacked yet.

    A folder in which there is no file but films and what systems leave is a member too: it may be a class that has
    lost its images, or never had any.

    Args:
        source: a folder, a zip or a tar.
        anywhere: follow links that lead out of a folder.

    Raises:
        UserError: no such source, or none of these kinds; or, naming the member, an absolute name, `..`, a link or a
            device in an archive, a name twice, a link out of a folder, a folder reached twice through links,
            encryption, damage, or more expansion than images have (`damage.check_expansion`).
    """
    with readable(str(source)):
        is_folder, is_file = source.is_dir(), source.is_file()
    if is_folder:
        yield _ordered(source, _in_folder(source, anywhere))
        return
    if not is_file:
        found = "something else" if source.exists() else "nothing"
        raise UserError(f"{source}: expected a folder, a zip or a tar, found {found}")
    with readable(str(source)), source.open("rb") as file:
        is_zip = file.read(4) in _ZIP_STARTS
    if is_zip:
        with readable(str(source)):
            archive = zipfile.ZipFile(source)
        with archive:
            yield _ordered(source, _in_zip(source, archive))
    else:
        with opened_tar(source) as tar:
            yield _ordered(source, _in_tar(source, tar))


def _ordered(source: Path, found: Iterable[Member]) -> list[Member]:
    """Sort by name, refuse an empty name and one that comes twice; of folders leave those without files."""
    everything = list(found)
    files = [member for member in everything if not member.is_folder]
    told = [member for member in everything if member.is_folder and not is_left_over(member.name)]
    films = [member.name for member in files if is_film(member.name) and not is_left_over(member.name)]
    # Many an archive has no entries for its folders.
    folders = {name: _folder(name[:-1], f"{source}") for name in _around(films)}
    folders |= {member.name: member for member in told}
    filled = _around(member.name for member in files if not (is_left_over(member.name) or is_film(member.name)))
    empty = [member for name, member in folders.items() if name not in filled and name not in ("/", "./")]
    ordered = sorted([*files, *empty], key=lambda member: member.name)
    if ordered and not ordered[0].name:
        raise UserError(f"{source}: expected each file to have a name, found one without")
    for first, second in pairwise(ordered):
        if first.name == second.name:
            raise UserError(
                f"{source}: {first.name}: expected each name once, found it twice, perhaps in two forms of Unicode: "
                "rename or remove one"
            )
    return ordered


def _around(names: Iterable[str]) -> set[str]:
    """The folders around files, each with `/` at its end."""
    return {f"{folder}/" for name in names for folder in PurePosixPath(name).parents}


def _in_zip(source: Path, archive: zipfile.ZipFile) -> Iterator[Member]:
    unpacked = sum(info.file_size for info in archive.infolist())
    check_expansion(f"{source}", source.stat().st_size, unpacked)
    check_members(f"{source}", len(archive.infolist()))
    check_room(f"{source}", unpacked, room(Path()))
    for info in archive.infolist():
        name = safe_name(source, _name_in_zip(info))
        if not name:  # of which Python cannot say whether it is a folder
            raise UserError(f"{source}: expected each file to have a name, found one without")
        # Older programs of Windows write backslashes, which Python knows there alone.
        if info.is_dir() or (info.filename.endswith("\\") and not info.file_size):
            yield _folder(name, f"{source}")
            continue
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise UserError(f"{source}: {name}: expected a file, found a link or a device")
        if info.flag_bits & _ENCRYPTED:
            raise UserError(f"{source}: {name}: expected no encryption; unpack it with its password first")
        check_expansion(f"{source}: {name}", info.compress_size, info.file_size)
        yield Member(name, f"{source}", partial(archive.open, info), size=info.file_size)


def _name_in_zip(info: zipfile.ZipInfo) -> str:
    """The name of an entry: of macOS's Finder, and of some others, it is UTF-8 without the mark that says so."""
    if not info.flag_bits & _IN_UTF8:
        with suppress(UnicodeError):
            return info.filename.encode("cp437").decode()
    return info.filename


def _in_tar(source: Path, tar: tarfile.TarFile) -> Iterator[Member]:
    found = []
    with readable(f"{source}"):
        for info in tar:
            found.append(info)
            check_members(f"{source}", len(found))
    check_room(f"{source}", sum(info.size for info in found if info.isreg()), room(Path()))
    for info in found:
        name = safe_name(source, info.name)
        if info.isdir():
            yield _folder(name, f"{source}")
            continue
        if not info.isreg() or info.issparse():
            raise UserError(f"{source}: {name}: expected a file, found a link, a device or a file with holes")
        yield Member(name, f"{source}", partial(tar.extractfile, info), size=info.size)
    check_end(source, tar)


def _in_folder(folder: Path, anywhere: bool) -> Iterator[Member]:
    problems: dict[str, str] = {}
    link = ""
    for name, path in walk(folder, anywhere, problems):
        # What a linked folder holds comes after it and before the next one.
        link = name if name.endswith("/") and path.is_symlink() else link
        through = link if name.startswith(link) else ""
        problem = problems.get(name, "")
        try:
            safe = safe_name(folder, name)
        except UserError as error:
            safe, problem = readable_name(name), problem or str(error).rpartition(": ")[2]
        if name.endswith("/"):
            yield _folder(safe, f"{folder}", problem, through)
        else:
            opening = partial(unchanged, folder, name, path, anywhere)
            yield Member(safe, f"{folder}", opening, problem, is_alone=True, size=_size(path), through=through)


def _size(path: Path) -> int | None:
    with suppress(OSError):
        return path.stat().st_size
    return None


def _folder(name: str, source: str, problem: str = "", through: str = "") -> Member:
    return Member(f"{name}/", source, io.BytesIO, problem, through=through)
