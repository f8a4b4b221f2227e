"""Whose results lie here: of the parameters and images that are here now, or of an earlier run, and of which."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flows.errors import FlowError
from flows.project.dvc_lock import LOCK, check_lock_text, read_lock
from flows.project.git import content, git
from flows.project.graph import StageNode, read_stages, up_to_date
from flows.project.outputs import read_makers
from flows.project.parameters import PARAMS, by_key, load, read_parameters
from flows.run.provenance import read_record, remade_since
from safety.text import visible
from safety.words import first_and_more

_DATA = ("download.path", "download.source")  # tell whose images they are
_MOST = 4  # changes named, and files


def notice(folder: str) -> str:
    """`describe`, where something in a folder of the project is of an earlier run; else empty.

    Raises:
        FlowError: as `describe`, or dvc.yaml cannot be read.
    """
    stages = read_stages()
    fresh = up_to_date(stages)
    stale = any(path.startswith(f"{folder}/") and name not in fresh for path, name in read_makers().items())
    return describe(stages) if stale else ""


def describe(stages: Sequence[StageNode]) -> str:
    """Whose the results of an earlier run are, in one line: when it was, of which images, and what has changed since.

    Raises:
        FlowError: params.yaml cannot be read.
    """
    fresh = up_to_date(stages)
    lock, whose = _owner({stage.name for stage in stages} - fresh)
    before = _parameters(lock, {stage.name for stage in stages})
    now = by_key(read_parameters()) if PARAMS.is_file() else {}
    keys = [key for key in before if now.get(key) != before[key]]
    changed = [f"{key} {before[key]} -> {now.get(key, 'none')}" for key in keys]
    others = dict.fromkeys(change for stage in stages if stage.name not in fresh for change in stage.changes)
    # Of a parameter that is gone DVC says the same words.
    missing = {change: name for change in others for name in _missing(change) if not _is_among(name, list(before))}
    # DVC names those parameters, or their sections, too, without their values.
    changed += [one for one in others if one not in missing and not _is_among(one.split(" ")[0], keys)]
    since = f" Changed since: {first_and_more(changed, _MOST)}." if changed else ""
    # A file is gone from its place, from the cache, or from both.
    gone = f" Not here: {first_and_more(list(dict.fromkeys(missing.values())), _MOST)}." if missing else ""
    return visible(f"Results of an earlier run ({', '.join(whose)}), not of what is here now.{since}{gone}")


def _missing(change: str) -> list[str]:
    """The file that DVC does not find, if that is what it says."""
    return [change.removesuffix(words) for words in (" deleted", " not in cache") if change.endswith(words)]


def _is_among(name: str, keys: Sequence[str]) -> bool:
    return any(f"{key}.".startswith(f"{name}.") for key in keys)


def _owner(stale: Collection[str]) -> tuple[Mapping[str, Any], list[str]]:
    """The dvc.lock of the run that left what these stages have made, and in words when that was and of which images.

    Another run may have begun since then, and entered its own images and parameters for the first stages.
    """
    lock, (committed, commit) = read_lock() or {}, _committed()
    left = _without_begun(_entries(lock, stale))
    if commit and (lock == committed or (left and left == _entries(committed, left))):
        return committed, [commit, *_data(committed)]
    if not _is_of_one_run(lock, left):
        return {"stages": left}, [_when(left)]
    return lock, [_when(left), *_data(lock)]


def _entries(lock: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: entry for name, entry in lock.get("stages", {}).items() if name in names}


def _without_begun(entries: dict[str, Any]) -> dict[str, Any]:
    """The entries of stages without those that have left something else since than what the others have read."""
    kept: dict[str, Any] = {}
    waiting = dict(entries)
    while waiting:
        read = {dep["path"] for entry in waiting.values() for dep in entry.get("deps", ())}
        last = [name for name, entry in waiting.items() if not read & {out["path"] for out in entry.get("outs", ())}]
        for name in last or list(waiting):
            outs = {out["path"]: out.get("md5") for out in waiting.pop(name).get("outs", ())}
            asked = [any(dep["path"] in outs for dep in entry.get("deps", ())) for entry in entries.values()]
            used = [dep for entry in kept.values() for dep in entry.get("deps", ()) if dep["path"] in outs]
            if not any(asked) or (used and all(outs[dep["path"]] == dep.get("md5") for dep in used)):
                kept[name] = entries[name]
    return kept


def _data(lock: Mapping[str, Any]) -> list[str]:
    parameters = _parameters(lock, lock.get("stages", {}))
    return [f"{key} {parameters[key]}" for key in _DATA if key in parameters]


def _committed() -> tuple[dict[str, Any], str]:
    """The dvc.lock of the last commit, and that commit in words; empty where there is none that can be read."""
    try:
        commit, _, date = git("log", "-1", "--format=%h %cs", "--", str(LOCK)).partition(" ")
        text = content("HEAD", str(LOCK)) or ""
        check_lock_text(text, str(LOCK))
    except FlowError:
        return {}, ""
    return load(text), f"committed as {commit} on {date}"


def _is_of_one_run(lock: Mapping[str, Any], left: Mapping[str, Any]) -> bool:
    """Whether what these stages have read is what the stages before them have left by now."""
    made = {out["path"]: out.get("md5") for entry in lock.get("stages", {}).values() for out in entry.get("outs", ())}
    read = [dep for entry in left.values() for dep in entry.get("deps", ())]
    return all(made.get(dep["path"], dep.get("md5")) == dep.get("md5") for dep in read)


def _when(names: Collection[str]) -> str:
    record = read_record()
    stages = record.stages if record else ()
    remade = remade_since(record) if record else ()
    times = [stage.ended for stage in stages if stage.ended and stage.name in names and stage.name not in remade]
    return f"made until {max(times)}" if times else "not committed"


def _parameters(lock: Mapping[str, Any], stages: Collection[str]) -> dict[str, Any]:
    """Parameters, by key, that stages ran with. Those that are no more may still be in dvc.lock."""
    found: dict[str, Any] = {}
    for name, entry in lock.get("stages", {}).items():
        if name in stages:
            found |= by_key(entry.get("params", {}).get(PARAMS.name, {}))
    return found
