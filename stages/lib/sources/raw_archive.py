"""The raw archive, written so that equal content gives equal bytes."""

import io
import shutil
import stat
import zipfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from stages.lib.core.errors import UserError
from stages.lib.core.outputs import atomic_file
from stages.lib.core.progress import tracked
from stages.lib.sources.folders import Changed, Gone
from stages.lib.sources.member import Member

_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3


def write_zip(archive: Path, content: Iterable[Member], title: str) -> None:
    """Write one zip: entries stored as they are, sorted by name, same date and permissions; memory stays bounded.

    What has a problem is an entry without content, and its comment says which.

    Args:
        archive: the zip to write; it appears whole or not at all.
        content: files and empty folders, in any order.
        title: what the progress is called.
    """
    entries = sorted(content, key=lambda member: member.name)
    with atomic_file(archive) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as target:
        for member in tracked(entries, title, len(entries)):
            info = zipfile.ZipInfo(member.name, _EPOCH)
            info.create_system = _UNIX
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            if member.is_folder:
                info.external_attr = (stat.S_IFDIR | 0o755) << 16
            with ExitStack() as stack:
                read, problem = _opened(member, stack)
                info.comment = problem.encode()
                with target.open(info, "w", force_zip64=True) as write:
                    shutil.copyfileobj(read, write, 1 << 20)


def _opened(member: Member, stack: ExitStack) -> tuple[IO[bytes], str]:
    """The content, and why there is none."""
    try:
        return (io.BytesIO(), member.problem) if member.problem else (stack.enter_context(member.opened()), "")
    except Changed:
        raise
    except UserError as error:
        if not member.is_alone:
            raise
        gone = isinstance(error, Gone)
        return io.BytesIO(), "it vanished while it was packed" if gone else "expected to be allowed to read it"
