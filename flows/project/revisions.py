"""What lies at a revision of the project, fetched with DVC's documented API."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flows.errors import FlowError
from flows.project.cache import drop_damaged_object
from flows.project.dvc_lock import LOCK, check_lock_text
from flows.project.dvc_repo import open_project, reason_of
from flows.project.guarded_remote import refusals
from flows.project.outputs import Storage, read_storage
from flows.project.records import SUMMARY

WORKSPACE = "the workspace"
_AGAIN = "`dvc push` where that run was made, once the damaged file is gone from the remote"


def fetch_results(revision: str | None, folder: Path) -> None:
    """Write evaluation/<model>/predictions.csv and report/summary.json, as they are at a revision, below `folder`.

    Args:
        revision: any git revision or the name of a DVC experiment; None is the workspace.

    Raises:
        FlowError: no such revision, it holds no predictions, or they are neither in DVC's cache nor in its remote.
    """
    storage = read_storage()
    with _files(revision, storage) as files:
        models: list[str] = []
        with suppress(FileNotFoundError):
            models = sorted(path.rpartition("/")[2] for path in files.ls("evaluation", detail=False))
        found = [path for model in models if _was_made(files, path := f"evaluation/{model}/predictions.csv")]
        if not found:
            raise FlowError(
                f"{revision or WORKSPACE}: expected evaluation/<model>/predictions.csv, found none: "
                + ("commit dvc.lock after a run" if revision else "run `smallset run`")
            )
        for path in [*found, *([SUMMARY.as_posix()] if files.isfile(SUMMARY.as_posix()) else [])]:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(_read(files, path, revision or WORKSPACE, storage))


def fetch_directory(revision: str, path: str, folder: Path, storage: Storage | None = None) -> None:
    """Write a directory, as it is at a revision, to `folder`.

    Args:
        storage: where it is looked for; None is the project's own.

    Raises:
        FlowError: no such revision, no such directory in it, or its files are neither in DVC's cache nor in its remote.
    """
    storage = storage or read_storage()
    with _files(revision, storage) as files:
        if not files.isdir(path):
            raise FlowError(f"{revision}: expected a directory {path}, found none")
        before = len(refusals())
        try:
            found = files.find(path)
        except Exception:
            # What lists the files of a directory is kept like a file.
            if refused := refusals()[before:]:
                raise FlowError(f"{path} of {revision}: {refused[-1]}; {_AGAIN}") from None
            raise FlowError(_is_missing(path, revision, storage)) from None
        for file in found:
            target = folder / Path(file).relative_to(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_read(files, file, revision, storage))


def fetch_file(revision: str, path: str) -> bytes | None:
    """Read a file as it is at a revision; None where that has none.

    Raises:
        FlowError: no such revision, or the file is neither in DVC's cache nor in its remote.
    """
    storage = read_storage()
    with _files(revision, storage) as files:
        return _read(files, path, revision, storage) if _was_made(files, path) else None


def commit_of(revision: str) -> str:
    """The commit that a git revision, or the name of a DVC experiment, stands for.

    Raises:
        FlowError: no such revision.
    """
    from dvc.scm import SCMError, resolve_rev

    with open_project() as repo:
        try:
            return str(resolve_rev(repo.scm, revision))
        except SCMError as error:
            raise FlowError(f"{reason_of(error)}: expected a git revision or the name of a DVC experiment") from None


@contextmanager
def _files(revision: str | None, storage: Storage) -> Iterator[Any]:
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException
    from dvc.scm import SCMError

    if revision is not None and (revision.startswith("-") or "\0" in revision):
        raise FlowError(f"{revision!r}: expected a git revision or the name of a DVC experiment")
    # The cache and the remote of today: those that a revision was made with may be gone, or not yet named in it.
    settings: dict[str, Any] = {"cache": {"dir": storage.cache}}
    if storage.remote:
        settings["core"] = {"remote": storage.remote}
    try:
        files = DVCFileSystem(".", rev=revision, config=settings)
        # Only the first access looks for the revision.
        files.ls("/", detail=False)
        if files.isfile(str(LOCK)):
            check_lock_text(files.read_text(str(LOCK)), f"{LOCK} of {revision or WORKSPACE}")
    except SCMError as error:
        raise FlowError(f"{reason_of(error)}: expected a git revision or the name of a DVC experiment") from None
    except (DvcException, ImportError) as error:
        raise FlowError(f"{revision or WORKSPACE}: {reason_of(error)}") from None
    try:
        yield files
    finally:
        files.close()


def _was_made(files: Any, path: str) -> bool:
    """Whether a file is at a revision: one that dvc.yaml names and no run has made has no checksum."""
    try:
        info = files.info(path)
    except FileNotFoundError:
        return False
    return "fs_info" in info or "md5" in info.get("dvc_info", info)


def _read(files: Any, path: str, name: str, storage: Storage) -> bytes:
    content = _bytes(files, path, name, storage)
    # DVC hands out a file of its cache, or of the remote, as it is.
    expected = _checksum(files.info(path))
    if expected and not _is(content, expected):
        drop_damaged_object(expected)
        content = _bytes(files, path, name, storage)
        if not _is(content, expected):
            raise FlowError(f"{path} of {name}: damaged: it is not what its checksum {expected} says; {_AGAIN}")
    return content


def _bytes(files: Any, path: str, name: str, storage: Storage) -> bytes:
    try:
        return bytes(files.read_bytes(path))
    except FileNotFoundError:
        raise FlowError(_is_missing(path, name, storage)) from None
    except Exception as error:
        # Every kind of remote has exceptions of its own.
        raise FlowError(f"{path} of {name}, from the remote {storage.remote}: {reason_of(error)}") from None


def _checksum(info: dict[str, Any]) -> str | None:
    """The checksum that DVC has of a file; None where the file itself lies in the workspace or in git."""
    return None if "fs_info" in info else info.get("dvc_info", info).get("md5")


def _is(content: bytes, checksum: str) -> bool:
    return hashlib.md5(content).hexdigest() == checksum


def _is_missing(path: str, name: str, storage: Storage) -> str:
    text = f"{path} of {name} is not in DVC's cache"
    if storage.remote:
        return f"{text}, nor in the remote {storage.remote}: run `dvc push` where that run was made"
    again = "`dvc repro`" if name == WORKSPACE else f"`dvc repro` on a checkout of {name}"
    remote = "name the one that has it (`dvc remote add --default NAME URL`)"
    return f"{text}, and there is no remote: {remote}, or run {again}"
