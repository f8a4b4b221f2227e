"""What a stage reads, as DVC reads it: what is no file is passed over, and no edit is credited with a result.

DVC does not notice that code, parameters or data were edited while a stage was at work: dvc.lock would have what they
are afterwards beside what was made of them before.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any


def guard_stages() -> None:
    """Make DVC in this process fail a stage that was edited meanwhile, and read every folder to its end."""
    from dvc.stage import Stage
    from dvc_data.hashfile import build

    stage: Any = Stage
    stage._run_stage, stage.save_deps = _reading(stage._run_stage), _rereading(stage.save_deps)
    built: Any = build
    built._localfs_info, built._walk_files = _looking(built._localfs_info), _walking(built._walk_files)


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
