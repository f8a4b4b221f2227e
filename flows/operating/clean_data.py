"""Data that only some commits have, in DVC's cache and remote.

DVC's own `gc` is told what to keep, and removes all else: also what another machine has pushed whose commit is not here
yet, and what only a branch of others has. Here it is told what goes. Which files a commit has says DVC, and its stores
remove them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.errors import FlowError
from flows.project.dvc_repo import open_project, reason_of
from flows.project.outputs import read_storage
from flows.project.records import is_checksum


@dataclass(frozen=True)
class Doomed:
    """Files of one store that go.

    Attributes:
        where: the store, in words.
        size: bytes.
        store: DVC's object.
        paths: lists first.
    """

    where: str
    size: int
    store: Any
    paths: Sequence[str]


def find_doomed(gone: Sequence[str], living: Sequence[str], remote: bool) -> list[Doomed]:
    """Find what only the commits have that go: nothing that a living one or the workspace has.

    Args:
        gone: commits that go.
        living: commits that stay.
        remote: also in the default DVC remote.

    Raises:
        FlowError: what a living commit has is not known, since a remote cannot be reached; nothing goes.
    """
    from dvc.exceptions import DvcException

    storage = read_storage()
    with open_project() as repo:
        remote_store = repo.cloud.get_remote_odb(storage.remote, "gc", hash_name="md5") if storage.remote else None
        try:
            going = set(_used(repo, gone, None, workspace=False)) if gone else set()
            if going:
                going -= set(_used(repo, living, remote_store, workspace=True))
        except DvcException as error:
            raise FlowError(f"{reason_of(error)}: nothing was removed") from None
        found = []
        if Path(storage.cache).resolve().is_relative_to(Path(repo.root_dir).resolve()):
            found.append(_in_store(repo.cache.local, going, "DVC's cache"))
        else:
            # What others need of it is not known here.
            found.append(Doomed(f"DVC's cache {storage.cache}, outside of the project and perhaps shared", 0, None, []))
        if remote and remote_store:
            found.append(_in_store(remote_store, going, f"DVC remote {storage.remote}"))
        return found


def remove(doomed: Sequence[Doomed]) -> None:
    """Remove them, lists of directories first, so that none is left whose files are gone."""
    from dvc_data.hashfile.db import get_index

    if not any(place.paths for place in doomed):
        return
    with open_project() as repo:
        for place in doomed:
            for path in place.paths:
                if place.store.fs.exists(path):
                    place.store.fs.remove(path)
            if place.paths:
                # DVC would take it for being there, and not push it again.
                get_index(place.store).clear()
        repo.drop_data_index()


def _used(repo: Any, revisions: Sequence[str], remote: Any, workspace: bool) -> Iterator[str]:
    """The checksums of all that these commits keep.

    Args:
        remote: where a directory's list that is not to be had must not be, if what is in it has to be known.
    """
    for _ in repo.brancher(revs=list(revisions), workspace=workspace, sha_only=True):
        for out in repo.index.outs:
            if not out.use_cache or not out.hash_info or not is_checksum(out.hash_info.value):
                continue
            yield out.hash_info.value
            listed = [one.value for objects in out.get_used_objs(force=True).values() for one in objects]
            if remote is not None and not listed and _is_in(remote, out.hash_info.value):
                raise FlowError(f"{out}: DVC's remote has it, and does not give it: nothing was removed")
            yield from filter(is_checksum, listed)


def _is_in(store: Any, checksum: str) -> bool:
    try:
        return bool(store.exists(checksum))
    except Exception as error:
        # Every kind of store has exceptions of its own.
        raise FlowError(f"DVC's remote: {reason_of(error)}: nothing was removed") from None


def _in_store(store: Any, checksums: Iterable[str], where: str) -> Doomed:
    there = sorted(store.list_oids_exists(list(checksums)), key=lambda one: (not one.endswith(".dir"), one))
    paths = [store.oid_to_path(one) for one in there]
    return Doomed(where, sum(store.fs.size(path) or 0 for path in paths), store, paths)
