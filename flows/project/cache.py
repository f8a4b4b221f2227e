"""What DVC keeps, by checksum: fetched where it is missing, thrown away where it is damaged.

DVC itself takes a file of its cache for what its name says as long as it is write-protected.
"""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from flows.errors import FlowError
from flows.project.dvc_guard import DVC
from flows.project.dvc_repo import open_project
from flows.project.graph import read_stages, up_to_date
from flows.project.guarded_remote import require_entries
from flows.project.inputs import require_known
from flows.project.outputs import kept_outputs, read_storage
from flows.project.records import is_checksum

_DIRECTORY = ".dir"  # ends the checksum of a directory, whose entry in the cache lists its files


def fetch_missing() -> str | None:
    """Fetch what the last run has made and this workspace lacks; what is damaged counts as missing.

    Returns:
        Why it could not be fetched, if so: it is made again.
    """
    stages = read_stages()
    fresh = up_to_date(stages)
    stale = [stage.name for stage in stages if stage.name not in fresh]
    if not stale:
        return None
    drop_damaged(stale)
    if read_storage().remote is None:
        return None
    # What is damaged in the remote too is refused.
    return _dvc("pull", "--run-cache", "--allow-missing", "--force")


def fetch_images() -> None:
    """Lay down the images of `download.path` in a clean checkout, as the commit has them.

    Raises:
        FlowError: neither git nor DVC has them, or DVC cannot fetch them.
    """
    with open_project() as repo:
        wanted = [one for one in require_known(repo) if one.state]
    for one in wanted:
        drop_damaged([one.file])
        # What the cache has needs no remote.
        if _dvc("checkout", "--force", "--", one.file) and (failure := _dvc("pull", "--force", "--", one.file)):
            raise FlowError(f"download.path: {one.path}: dvc pull {one.file}: {failure}")


def _dvc(*arguments: str) -> str | None:
    """Run DVC; why it failed, if it did."""
    done = subprocess.run([*DVC, *arguments], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or [f"dvc {arguments[0]} failed"])[-1].removeprefix("ERROR: ")


def drop_damaged(stages: Collection[str] | None = None) -> list[str]:
    """Remove from the cache what is not what its name says, and from the workspace the outputs that may be made of it.

    Args:
        stages: whose outputs, as dvc.lock has them, are checked; None is all.

    Returns:
        The outputs that are gone: DVC fetches or makes them again.
    """
    cache = Path(read_storage().cache)
    gone = [path for path, checksum in kept_outputs(stages) if _drop_damaged(cache, checksum)]
    for path in gone:
        _remove(Path(path))
    return gone


def is_kept(stage: str) -> bool:
    """Whether DVC would lay down what an earlier run of a stage has left, rather than run it.

    What it reads is taken as it lies here, or, where it is not here, as its last run had it.
    """
    from dvc.exceptions import DvcException

    with open_project() as repo:
        [found] = repo.stage.collect(stage)
        before = [dep.hash_info for dep in found.deps]
        try:
            found.save_deps(allow_missing=True)
            if found.changed_stage() or before != [dep.hash_info for dep in found.deps]:
                return _is_kept_of_another_run(repo, found)
            return _is_kept_of_the_last_run(found)
        except DvcException:
            return False


def _is_kept_of_the_last_run(stage: Any) -> bool:
    return bool(stage.outs) and all(out.hash_info for out in stage.outs) and stage.outs_cached()


def _is_kept_of_another_run(repo: Any, stage: Any) -> bool:
    if not all(dep.exists for dep in stage.deps):
        return False
    for out in stage.outs:
        out.hash_info = type(out.hash_info)()  # those of the last run do not count
    repo.stage_cache.restore(stage, dry=True)
    return True


def drop_damaged_object(checksum: str) -> None:
    """Remove from the cache a file, or those files of a directory, that are not what their names say."""
    _drop_damaged(Path(read_storage().cache), checksum)


def _drop_damaged(cache: Path, checksum: str) -> bool:
    damaged = [file for file in _objects(cache, checksum) if not _is_whole(file) or _listed(file) is None]
    for file in damaged:
        file.unlink()
    return bool(damaged)


def _objects(cache: Path, checksum: str) -> Iterator[Path]:
    """The files of the cache that an output is made of; those that are there."""
    whole = _object(cache, checksum)
    if not whole.is_file():
        return
    yield whole
    # A file that is no such list may be large: it is read by whoever asks for it, and not here.
    if checksum.endswith(_DIRECTORY) and _is_whole(whole):
        yield from filter(Path.is_file, (_object(cache, one) for one in _listed(whole) or ()))


def _listed(file: Path) -> list[str] | None:
    """The checksums that a list of a directory's files names; of any other file none. None: it is no such list."""
    if not file.name.endswith(_DIRECTORY):
        return []
    try:
        entries = json.loads(file.read_bytes())
        require_entries(entries)
    except (ValueError, RecursionError):
        return None
    return [entry["md5"] for entry in entries if entry.get("md5")]


def _object(cache: Path, checksum: str) -> Path:
    if not is_checksum(checksum):
        raise FlowError(f"expected a checksum of DVC's, which names a file of its cache. Received: {checksum!r}")
    return cache / "files" / "md5" / checksum[:2] / checksum[2:]


def _is_whole(file: Path) -> bool:
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "md5").hexdigest()
    return found == f"{file.parent.name}{file.name}".removesuffix(_DIRECTORY)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
