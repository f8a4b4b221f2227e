"""dvc.lock, which says of every stage what its last run read and made."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from ruamel.yaml import YAMLError

from flows.errors import FlowError
from flows.project.parameters import load
from flows.project.records import check_lock
from flows.project.whole_file import write_whole

LOCK = Path("dvc.lock")


def read_lock(folder: Path = Path()) -> dict[str, Any] | None:
    """Read dvc.lock; None where there is none, or only a part of it.

    DVC writes over it where it lies: an end at that moment, or a full disk, leaves a part.
    """
    return _lock_in(_text_of(folder / LOCK))


class KeptLock:
    """dvc.lock as it was before a process of DVC, which may be ended while it writes there."""

    def __init__(self, folder: Path = Path()) -> None:
        """Read it as it is."""
        self._file = folder / LOCK
        self._text = _text_of(self._file)

    def put_back(self) -> bool:
        """Have it as it was, if it was cut off: stages or outputs are missing that were in it, or half of one is there.

        What another process has entered meanwhile is lost then, not its outputs: DVC knows them as those of an equal
        run.

        Returns:
            Whether it was.

        Raises:
            OSError: it cannot be written; it is as it was found then.
        """
        if not self._is_cut():
            return False
        with _others_waiting(self._file.parent):
            # It may have been another process in the middle of its writing.
            if not self._is_cut():
                return False
            if self._text is None:
                self._file.unlink()
            else:
                write_whole(self._file, self._text)
        return True

    def _is_cut(self) -> bool:
        text = _text_of(self._file)
        # Nearly always nothing was written: no file is parsed for that.
        if text == self._text:
            return False
        before = _lock_in(self._text)
        return (self._text is None or before is not None) and not _is_whole(text, before or {})


@contextmanager
def _others_waiting(folder: Path) -> Iterator[None]:
    """Hold DVC's own lock, which it writes dvc.lock within; who has it for seconds is at something else."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo, lock_repo

    with ExitStack() as held:
        with suppress(DvcException):
            held.enter_context(lock_repo(held.enter_context(Repo(str(folder)))))
        yield


def _text_of(file: Path) -> str | None:
    """None where there is no file; what is no UTF-8 becomes what no YAML has."""
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return None


def _is_whole(text: str | None, before: dict[str, Any]) -> bool:
    """Whether DVC can read a dvc.lock, with all that was in it, to the end of what it says of the last stage."""
    now = _lock_in(text)
    if now is None or not str(text).endswith("\n") or not _outputs(before) <= _outputs(now):
        return False
    # Takes long to import; who runs stages has.
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from voluptuous import Invalid

    try:
        COMPILED_LOCKFILE_SCHEMA(now)
    except Invalid:
        return False
    last: dict[str, Any] = next(reversed(now.get("stages", {}).values()), {})
    return all(
        "size" in file and ("nfiles" in file or not str(file.get("md5")).endswith(".dir"))
        for file in (*last.get("deps", []), *last.get("outs", []))
    )


def _outputs(lock: dict[str, Any]) -> set[tuple[str, str]]:
    """Each stage alone, and with all that is said of its outputs: the last one may be cut in the middle."""
    stages = lock.get("stages")
    entries = stages.items() if isinstance(stages, dict) else ()
    found = {(str(name), "") for name, _ in entries}
    for name, entry in entries:
        outs = entry.get("outs") if isinstance(entry, dict) else None
        for out in outs if isinstance(outs, list) else ():
            path, keys = (out.get("path"), out) if isinstance(out, dict) else (out, [""])
            found |= {(str(name), f"{path} {key}") for key in keys}
    return found


def _lock_in(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        found = load(text)
    except (YAMLError, ValueError):
        return None
    return found if isinstance(found, dict) and "schema" in found else None


def check_lock_text(text: str, where: str) -> None:
    """Raise FlowError where a dvc.lock of some revision is none that DVC may be given."""
    lock = _lock_in(text)
    if lock is None:
        raise FlowError(f"{where}: expected what DVC writes")
    check_lock(lock, where)
