"""`smallset show`: everything that is known of one saved run, or of the model in use."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from itertools import islice
from typing import Any

from ruamel.yaml.error import YAMLError

from flows.errors import FlowError
from flows.project.git import content, git, resolve
from flows.project.parameters import load
from flows.registry import decisions, gto, history, saved_runs
from flows.registry.gto import ARTIFACT, Promotion
from flows.registry.names import IN_USE, commit_named
from flows.registry.run_record import CLASSIFIER

_MOST, _DEEPEST, _LONGEST = 2000, 4, 20  # parameters; sections in sections; entries of a list
_LARGEST = 1e15  # of a figure
_MODEL = re.compile(r"evaluation/([A-Za-z0-9_-]+)/(?:figures|metrics)\.json")  # an older run has the latter


def describe(run: str | None, branch: str | None) -> dict[str, Any]:
    """Gather what is known of a run; docs/operations.md lists the keys.

    Args:
        run: as `flows.registry.names.commit_named` takes it, of a saved run; None is the latest.

    Raises:
        FlowError: there is no such run.
    """
    commit = _find(run, branch)
    record = saved_runs.record_of(commit)
    if record is None:
        raise FlowError(f"{run}: expected a saved run, as `smallset history` lists them, found another commit")
    used = gto.promotions()
    own = [one for one in used if one.commit == commit]
    kept = record.get("run") or {}
    return {
        "run": f"run/{record['id']}",
        "commit": commit,
        "branch": record.get("branch") or "",
        "source": _commit(record.get("source")),
        "started": kept.get("started", ""),
        "seconds": kept.get("seconds"),
        "stages": [{key: one.get(key) for key in ("name", "outcome", "seconds")} for one in kept.get("stages", [])],
        "machine": kept.get("machine", {}),
        "packages": kept.get("packages", {}),
        "outcome": record.get("outcome") or "",
        "data": _data(commit, record),
        "parameters": {
            "other_than_default": _differences(
                content(commit, "profiles/default.yaml"), content(commit, "params.yaml")
            ),
            "other_than_commit": _differences(_of_source(record, "params.yaml"), content(commit, "params.yaml")),
        },
        "recommended": (record.get("summary") or {}).get("recommended", ""),
        "metrics": dict(_metrics(commit)),
        "cautions": (record.get("summary") or {}).get("cautions") or [],
        "decision": _decision(record, commit),
        "in_use": bool(used) and used[0].commit == commit,
        "promotions": [_promotion(one, used) for one in own],
        "model": _model(commit, record, own),
    }


def _find(run: str | None, branch: str | None) -> str:
    if run is None:
        last = saved_runs.latest(saved_runs.Workspace.here(branch))
        if last is None:
            raise FlowError("no saved run: expected one of `smallset run --save` or `smallset retrain`")
        return last.commit
    if (commit := commit_named(run)) is None:
        raise FlowError(
            f"{run}: expected a saved run, as `smallset history` lists them, its version, a commit, or {IN_USE}"
        )
    return commit


def _commit(source: str | None) -> dict[str, str]:
    if not source or resolve(source) is None:
        return {"commit": source or ""}
    who, when, subject = git("log", "-1", "--format=%an%x00%cI%x00%s", source).split("\0", 2)
    return {"commit": source, "author": who, "date": when, "subject": subject}


def _data(commit: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Checksum of the archive, source, and images of each subset and class."""
    counts = _json(content(commit, "data/split.json"))
    subsets = {name: found for name, found in counts.items() if isinstance(found, dict)}
    download = _flat(content(commit, "params.yaml") or "")
    keys = ("download.source", "download.path", "download.url", "download.sha256")
    return {
        "images": (record.get("data") or {}).get("images", {}),
        "classes": subsets,
        "archive": (record.get("data") or {}).get("archive") or "",
        **{key.removeprefix("download."): download[key] for key in keys if download.get(key) is not None},
    }


def _of_source(record: Mapping[str, Any], path: str) -> str | None:
    return content(record["source"], path) if record.get("source") else None


def _differences(before: str | None, after: str | None) -> dict[str, list[Any]]:
    """Parameters of another value, as [before, after]; of those that both files have."""
    one, other = _flat(before or ""), _flat(after or "")
    return {key: [one[key], other[key]] for key in one if key in other and one[key] != other[key]}


def _flat(text: str) -> dict[str, Any]:
    """Parameters by their keys; none where that is no file of parameters. A stranger may have written it."""
    try:
        found = load(text)
    except (YAMLError, ValueError):
        return {}
    return dict(islice(_leaves(found, "", 0), _MOST)) if isinstance(found, dict) else {}


def _leaves(values: Mapping[Any, Any], above: str, depth: int) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _leaves(value, f"{above}{key}.", depth + 1)
        else:
            yield f"{above}{key}", _short(value)


def _short(value: Any) -> Any:
    """A parameter's value as it is, as far as one needs to read it."""
    if isinstance(value, list):
        return [_short(one) for one in value[:_LONGEST] if not isinstance(one, list | dict)]
    return value if isinstance(value, bool | int | float | str | None) else type(value).__name__


def _metrics(commit: str) -> Iterator[tuple[str, dict[str, float]]]:
    for path in git("ls-tree", "-r", "--name-only", commit, "--", "evaluation/").splitlines():
        if match := _MODEL.fullmatch(path):
            found = _json(content(commit, path))
            if figures := {name: value for name, value in found.items() if _is_figure(value)}:
                yield match[1], figures


def _is_figure(value: Any) -> bool:
    """Whether it is a number that can be written out; others may have written it."""
    return isinstance(value, int | float) and abs(value) < _LARGEST


def _json(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _decision(record: Mapping[str, Any], commit: str) -> dict[str, Any]:
    found = {name: record.get(name) for name in decisions.WAITING if record.get(name) is not None}
    return found | {"made_here": decisions.made_here(commit), "test_images": record.get("test_images") or {}}


def _promotion(one: Promotion, used: list[Promotion]) -> dict[str, Any]:
    """When its model came into use or somebody had a word on it, who and why, and what was in use before."""
    later = used.index(one) + 1
    before = next((each for each in used[later:] if each.version != one.version), None)
    return {
        "version": one.version,
        "at": one.at.astimezone(UTC).isoformat(timespec="seconds"),
        "by": one.who if one.action else "the gate",
        "action": one.action or "promote",
        "why": one.message,
        "replaced": {"version": before.version, "run": history.run_of(before)} if before else None,
    }


def _model(commit: str, record: Mapping[str, Any], own: list[Promotion]) -> dict[str, str]:
    path = CLASSIFIER.as_posix()
    get = f"git checkout {commit[:12]} && smallset dvc pull {path}"
    if own:
        get = f"smallset dvc artifacts get ADDRESS {ARTIFACT} --rev {own[0].version}"
    return {"path": path, "checksum": record.get("classifier") or "", "get": get}
