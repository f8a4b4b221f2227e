"""DVC, made to look at what comes from a remote before it is used: checksums, and paths that leave their place.

DVC 3.67 checks no list of a directory's files (a `.dir` object): it is taken as it comes, `relpath: ../../stage.py` and
`md5: ab/../../stage.py` are followed, and a garbled file gets into the cache under the name of the right one. What is
wrong counts here as what DVC calls corrupted: as missing. Nor may a YAML file of somebody's commit ask for what never
ends: a few lines of aliases are billions of values. `guard` does that in this process; run as a program this file is
`dvc` with it, in a process of its own (`DVC`): it imports nothing of this project, which may lie there in another
version.
"""

import hashlib
import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

# -P: the folder of this file, with its git.py, is no place to import from.
DVC = (sys.executable, "-P", __file__)
REFUSED = "refused, as it is not what its checksum says or leads out of its place"
_OBJECT = re.compile(r"[0-9a-zA-Z]{3}[0-9a-zA-Z._-]*")  # a checksum of any kind: one step below two letters
_MD5 = re.compile(r"[0-9a-f]{32}")
_RUN = re.compile(r"/[0-9a-f]{2}/[0-9a-f]{64}/[0-9a-f]{64}")  # an entry of DVC's run cache, below `runs`
_NEVER = frozenset({"", ".", "..", ".git", ".dvc"})  # steps of a path that no directory under DVC has
_SUFFIX = ".dir"
_LONGEST, _OF_A_VALUE, _DEEPEST = 10_000_000, 10, 50  # of a YAML file: characters, also for each value; steps
# A text without these that is nowhere deeper indented than this holds no more than is written there.
_GROWING, _INDENTED, _BRACKETS = re.compile(r"[&*!]"), re.compile(r"[\s?:-]{17}"), re.compile(r"[\[{]")
_MOST_STAGES = 10_000  # of one matrix
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


def require_small(text: str) -> None:
    """Make sure that reading a YAML file, and whatever walks through its values, comes to an end soon.

    Raises:
        ValueError: it is too deep, or too long once aliases are written out; one in itself never ends.
        ruamel.yaml.YAMLError: it is no YAML; of a plain text, such as dvc.lock, that is left to whoever reads it.
    """
    if _is_plain(text):
        return
    from ruamel.yaml import YAML
    from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

    if len(text) > _LONGEST:
        raise ValueError(f"expected at most {_LONGEST:,} characters of YAML. Received: {len(text):,}")
    sizes: dict[str | None, int] = {}
    begun: list[tuple[str | None, int]] = []  # anchor, and how much came before
    size = 0
    for event in YAML(typ="safe").parse(text):
        if isinstance(event, AliasEvent):
            # Of an anchor that is not complete yet, or is none, nothing is known.
            size += sizes.get(event.anchor, _LONGEST)
        elif isinstance(event, CollectionStartEvent):
            begun.append((event.anchor, size))
        elif isinstance(event, ScalarEvent):
            size += len(event.value) + _OF_A_VALUE
            sizes[event.anchor] = len(event.value) + _OF_A_VALUE
        elif isinstance(event, CollectionEndEvent):
            anchor, before = begun.pop()
            size += _OF_A_VALUE
            sizes[anchor] = size - before
        if size > _LONGEST or len(begun) > _DEEPEST:
            raise ValueError(f"expected at most {_LONGEST:,} characters, aliases written out, {_DEEPEST} steps deep")


def _is_plain(text: str) -> bool:
    """Whether a look at its characters is enough: a step deeper is one of indentation, a list there, or a bracket."""
    if len(text) > _LONGEST // _OF_A_VALUE or _GROWING.search(text) or _INDENTED.search(text):
        return False
    return len(_BRACKETS.findall(text)) <= _DEEPEST - 2 * 17


def refusals() -> list[str]:
    """What was refused in this process until now, a line each."""
    return list(_refusals)


def _refuse(name: str, reason: str) -> None:
    _refusals[f"{name}: {reason}"] = None


def guard() -> None:
    """Make DVC in this process refuse what is not what its checksum says; again it does nothing."""
    from dvc.parsing import MatrixDefinition
    from dvc.stage import Stage
    from dvc.stage.cache import StageCache
    from dvc.utils import strictyaml
    from dvc.utils.serialize import _yaml
    from dvc_data.fs import DataFileSystem
    from dvc_data.hashfile import build
    from dvc_data.hashfile.db import HashFileDB
    from dvc_data.hashfile.db.local import LocalHashFileDB
    from dvc_data.hashfile.tree import Tree
    from dvc_objects.db import ObjectDB

    tree: Any = Tree
    if hasattr(tree, "is_guarded"):
        return
    tree.is_guarded = True
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
    yaml: list[Any] = [_yaml, strictyaml]
    for module in yaml:
        module.parse_yaml = _parsing(module.parse_yaml)
    matrix: Any = MatrixDefinition
    matrix._resolve_matrix_data = _multiplying(matrix._resolve_matrix_data)
    stage: Any = Stage
    stage._run_stage, stage.save_deps = _reading(stage._run_stage), _rereading(stage.save_deps)
    built: Any = build
    built._localfs_info, built._walk_files = _looking(built._localfs_info), _walking(built._walk_files)


def _parsing(parse: Callable[..., Any]) -> Callable[..., Any]:
    def checked(text: str | bytes, path: Any, *others: Any, **options: Any) -> Any:
        from dvc.utils.serialize import ParseError
        from ruamel.yaml import YAMLError

        try:
            require_small(text.decode() if isinstance(text, bytes) else text)
        except YAMLError:
            pass  # for DVC to tell
        except ValueError as error:
            raise ParseError(path, str(error)) from None
        try:
            return parse(text, path, *others, **options)
        except ValueError as error:
            # A date such as 2026-99-99, a number of thousands of digits.
            raise ParseError(path, str(error)) from None

    return checked


def _multiplying(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """A few lists under `matrix` may ask for billions of stages."""

    def checked(self: Any) -> Any:
        from dvc.parsing import ResolveError

        found = resolve(self)
        if math.prod(len(one) for one in found.values()) > _MOST_STAGES:
            raise ResolveError(f"{self.relpath}: {self.name}.matrix: expected at most {_MOST_STAGES:,} stages")
        return found

    return checked


def _looking(look: Callable[..., Any]) -> Callable[..., Any]:
    """What is no file among images is for the stage `download` to name.

    DVC would end with a broken link, hashing no other, and would wait at a pipe or read a device for ever.
    """

    def looked(path: str) -> Any:
        try:
            found = look(path)
        except OSError:
            if Path(path).is_symlink():
                return None
            raise
        return found if found["type"] == "file" else None

    return looked


def _walking(walk: Callable[..., Any]) -> Callable[..., Any]:
    def walked(*arguments: Any, **options: Any) -> Any:
        for root, files in walk(*arguments, **options):
            yield root, {name: found for name, found in files.items() if found is not None}

    return walked


def _listing(from_list: Callable[..., Any]) -> Callable[..., Any]:
    def checked(cls: Any, entries: Any, hash_name: str | None = None) -> Any:
        from dvc_objects.errors import ObjectFormatError

        try:
            require_entries(entries)
        except ValueError as error:
            _refuse("a list of a directory's files", str(error))
            raise ObjectFormatError(f"{error}: {REFUSED}") from None
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
        raise ObjectFormatError(f"{found.path}: {REFUSED}")
    try:
        entries = json.loads(content)
    except ValueError:
        raise ObjectFormatError(f"{found.path}: expected a list of files") from None
    tree = cls.from_list(entries, hash_name=hash_name or (odb.hash_name if odb.hash_name == "md5-dos2unix" else None))
    tree.path, tree.fs, tree.hash_info, tree.oid = found.path, found.fs, hash_info, hash_info.value
    return tree


def _placing(oid_to_path: Callable[..., str]) -> Callable[..., str]:
    def checked(self: Any, oid: str) -> str:
        from dvc_objects.errors import ObjectFormatError

        if not _OBJECT.fullmatch(oid):
            _refuse(f"checksum {oid!r}", "expected one that names a file of the cache")
            raise ObjectFormatError(f"checksum {oid!r}: {REFUSED}")
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
                        on_error(one, ValueError(REFUSED))
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
            raise OSError(f"{rpath}: {REFUSED}")

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


def _reading(run_stage: Callable[..., None]) -> Callable[..., None]:
    """DVC reads what a stage depends on before its command, or before it lays down what an equal run left.

    It does not where the stage is forced.
    """

    def reading(self: Any, dry: bool, force: bool, **options: Any) -> None:
        if force and not dry:
            self.save_deps()
        run_stage(self, dry, force, **options)
        if not dry:
            self.found_before = [(dep, dep.hash_info) for dep in self.deps]

    return reading


def _rereading(save_deps: Callable[..., None]) -> Callable[..., None]:
    """What differs after the command from what was there before may have been read as the one, the other or both."""

    def checked(self: Any, *others: Any, **options: Any) -> None:
        from dvc.exceptions import DvcException

        save_deps(self, *others, **options)
        before = self.__dict__.pop("found_before", ())
        if changed := [_named(dep, found) for dep, found in before if dep.hash_info != found]:
            raise DvcException(f"{', '.join(changed)}: changed while the stage was at work, so it counts for neither")

    return checked


def _named(dep: Any, before: Any) -> str:
    """A dependency that has changed, and of parameters which."""
    if dep.hash_info.name != "params":
        return str(dep)
    now = dep.hash_info.value
    return f"{dep}: {', '.join(key for key in now if now[key] != before.value.get(key))}"


def main(arguments: list[str]) -> int:
    """Run `dvc` with these arguments, guarded; the last line of a failure says what was refused."""
    from dvc.cli import main as dvc

    guard()
    code = int(dvc(arguments) or 0)
    if code and _refusals:
        first, *others = _refusals
        print(f"ERROR: {first}" + (f" (and {len(others)} more)" if others else ""), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
