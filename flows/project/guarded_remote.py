"""What comes from a DVC remote, looked at before it is used: checksums, and paths that leave their place.

DVC 3.67 checks no list of a directory's files (a `.dir` object): it is taken as it comes, `relpath: ../../stage.py` and
`md5: ab/../../stage.py` are followed, and a garbled file gets into the cache under the name of the right one. Nor does
it check entries of its run cache. What is wrong counts here as what DVC calls corrupted: as missing.
"""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

_REFUSED = "refused, as it is not what its checksum says or leads out of its place"
_OBJECT = re.compile(r"[0-9a-zA-Z]{3}[0-9a-zA-Z._-]*")  # a checksum of any kind: one step below two letters
_MD5 = re.compile(r"[0-9a-f]{32}")
_RUN = re.compile(r"/[0-9a-f]{2}/[0-9a-f]{64}/[0-9a-f]{64}")  # an entry of DVC's run cache, below `runs`
_NEVER = frozenset({"", ".", "..", ".git", ".dvc"})  # steps of a path that no directory under DVC has
_SUFFIX = ".dir"
_refusals: dict[str, None] = {}


def require_entries(entries: object) -> None:
    """Make sure that a list of a directory's files leads nowhere else.

    Args:
        entries: what a `.dir` object, or `files` in dvc.lock, should be: `{"relpath", "md5", ...}` of each file.

    Raises:
        ValueError: it is no such list, or a path or checksum in it is none that DVC would have written.
    """
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("expected a list of files")
    paths: set[str] = set()
    for entry in entries:
        path, checksum = entry.get("relpath"), entry.get("md5")
        if not isinstance(path, str) or "\0" in path or not _NEVER.isdisjoint(path.split("/")):
            raise ValueError(f"relpath: expected a path inside the directory. Received: {path!r}")
        if path in paths:
            raise ValueError(f"relpath: expected each path once. Received: {path!r} again")
        if checksum is not None and not (isinstance(checksum, str) and _MD5.fullmatch(checksum)):
            raise ValueError(f"md5 of {path!r}: expected 32 hexadecimal digits. Received: {checksum!r}")
        paths.add(path)
    for path in paths:
        if both := next((str(above) for above in PurePosixPath(path).parents if str(above) in paths), None):
            raise ValueError(f"relpath: expected a file or a directory at a path. Received: {both!r} as both")


def refusals() -> list[str]:
    """What was refused in this process until now, a line each."""
    return list(_refusals)


def _refuse(name: str, reason: str) -> None:
    _refusals[f"{name}: {reason}"] = None


def guard_remote() -> None:
    """Make DVC in this process refuse what is not what its checksum says, or leads out of its place."""
    from dvc.stage.cache import StageCache
    from dvc_data.fs import DataFileSystem
    from dvc_data.hashfile.db import HashFileDB
    from dvc_data.hashfile.db.local import LocalHashFileDB
    from dvc_data.hashfile.tree import Tree
    from dvc_objects.db import ObjectDB

    tree: Any = Tree
    tree.from_list = classmethod(_listing(tree.from_list.__func__))
    tree.load = classmethod(_load)
    kinds: list[Any] = [ObjectDB, LocalHashFileDB]
    for kind in kinds:
        kind.oid_to_path = _placing(kind.oid_to_path)
    store: Any = HashFileDB
    store.__init__, store.add = _starting(store.__init__), _adding(store.add)
    files: Any = DataFileSystem
    files.get_file = _getting(files.get_file)
    runs: Any = StageCache
    runs.transfer, runs._load_cache = _transferring(runs.transfer), _loading(runs._load_cache)


def _listing(from_list: Callable[..., Any]) -> Callable[..., Any]:
    def checked(cls: Any, entries: Any, hash_name: str | None = None) -> Any:
        from dvc_objects.errors import ObjectFormatError

        try:
            require_entries(entries)
        except ValueError as error:
            _refuse("a list of a directory's files", str(error))
            raise ObjectFormatError(f"{error}: {_REFUSED}") from None
        return from_list(cls, entries, hash_name=hash_name)

    return checked


def _load(cls: Any, odb: Any, hash_info: Any, hash_name: str | None = None) -> Any:
    """As `Tree.load` of dvc-data, of what has been checked: the server is asked once."""
    from dvc_objects.errors import ObjectFormatError

    found = odb.get(hash_info.value)
    with found.fs.open(found.path, "rb") as file:
        content = file.read()
    is_md5 = str(hash_info.name).startswith("md5")
    if is_md5 and hashlib.md5(content).hexdigest() != hash_info.value.removesuffix(_SUFFIX):
        _refuse(f"{found.fs.protocol}: {found.path}", "damaged: its checksum is another")
        raise ObjectFormatError(f"{found.path}: {_REFUSED}")
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError):
        raise ObjectFormatError(f"{found.path}: expected a list of files") from None
    tree = cls.from_list(entries, hash_name=hash_name or (odb.hash_name if odb.hash_name == "md5-dos2unix" else None))
    tree.path, tree.fs, tree.hash_info, tree.oid = found.path, found.fs, hash_info, hash_info.value
    return tree


def _placing(oid_to_path: Callable[..., str]) -> Callable[..., str]:
    def checked(self: Any, oid: str) -> str:
        from dvc_objects.errors import ObjectFormatError

        if not _OBJECT.fullmatch(oid):
            _refuse(f"checksum {oid!r}", "expected one that names a file of the cache")
            raise ObjectFormatError(f"checksum {oid!r}: {_REFUSED}")
        return oid_to_path(self, oid)

    return checked


def _starting(start: Callable[..., None]) -> Callable[..., None]:
    def verifying(self: Any, *others: Any, **options: Any) -> None:
        start(self, *others, **options)
        # What is fetched from it; what is made here, or pushed, DVC hashes by itself.
        self.verify = True

    return verifying


def _adding(add: Callable[..., int]) -> Callable[..., int]:
    def checked(self: Any, path: Any, fs: Any, oid: Any, *others: Any, **options: Any) -> int:
        added = add(self, path, fs, oid, *others, **options)
        if options.get("verify"):
            # DVC has removed a wrong one, and counts it as fetched.
            for one in [oid] if isinstance(oid, str) else oid:
                if not self.exists(one):
                    _refuse(f"{one} in the remote", "damaged, or gone meanwhile: its checksum is another")
                    if on_error := options.get("on_error"):
                        on_error(one, ValueError(_REFUSED))
        return added

    return checked


def _getting(get_file: Callable[..., None]) -> Callable[..., None]:
    def checked(self: Any, rpath: str, lpath: str, *others: Any, info: Any = None, **options: Any) -> None:
        get_file(self, rpath, lpath, *others, info=info, **options)
        expected, file = (info or self.info(rpath)).get("md5"), Path(lpath)
        if not expected or not file.is_file():
            return
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "md5").hexdigest()
        if found != expected:
            file.unlink()
            _refuse(f"{rpath} in the remote", "damaged: its checksum is another")
            raise OSError(f"{rpath}: {_REFUSED}")

    return checked


def _transferring(transfer: Callable[..., Any]) -> Callable[..., Any]:
    def checked(self: Any, from_odb: Any, to_odb: Any, force: bool = True) -> Any:
        fs, find = from_odb.fs, from_odb.fs.find

        def found(path: str, *others: Any, **options: Any) -> list[str]:
            # Names are as a store has them: of some, `..` may be a part.
            names = (str(name) for name in find(path, *others, **options))
            return [name for name in names if name.startswith(path) and _RUN.fullmatch(name[len(path) :])]

        fs.find = found
        try:
            return transfer(self, from_odb, to_odb, force)
        finally:
            del fs.find

    return checked


def _loading(load: Callable[..., Any]) -> Callable[..., Any]:
    """An entry of the run cache has two names: what a stage was given and where its outputs lie, and all it holds.

    DVC asks for neither: one with an output more would be laid down anywhere, a part of one would fail each time.
    """

    def checked(self: Any, key: str, value: str) -> Any:
        from dvc.stage.cache import _get_cache_hash
        from dvc.utils.serialize import ParseError

        try:
            entry = load(self, key, value)
            if entry is None or (_get_cache_hash(dict(entry), key=True), _get_cache_hash(entry)) == (key, value):
                return entry
        except (ParseError, TypeError, ValueError):
            pass  # too large to be read, or with values that no checksum is made of
        _refuse(f"{key}/{value} of the run cache", "damaged: its checksum is another")
        Path(self._get_cache_path(key, value)).unlink(missing_ok=True)
        return None

    return checked
