"""What `smallset upgrade` says of what it has done."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from flows.project.git import git
from flows.project.parameters import PARAMS
from flows.upstream.merged_parameters import Merged
from flows.upstream.merging import Composed, Sides
from safety.text import visible
from safety.words import counted, first_and_more

_ENVIRONMENT = ("requirements.lock", "pyproject.toml")
_VERSIONS = "versions."
_MOST = 10  # files that are named


def describe(sides: Sides, composed: Composed, own: Sequence[str], address: str) -> list[str]:
    """Lines: what was merged, what was committed before, what came of the parameters, and what is to be done."""
    return list(map(visible, _lines(sides, composed, own, address)))


def _lines(sides: Sides, composed: Composed, own: Sequence[str], address: str) -> Iterator[str]:
    if own:
        yield f"committed first: {first_and_more(own, _MOST)}, as {sides.ours[:8]}"
    commits = counted(int(git("rev-list", "--count", f"{sides.base}..{sides.theirs}")), "commit")
    yield f"pipeline: {commits} from {address} up to {sides.theirs[:8]}, merged as {composed.commit[:8]}"
    yield from _parameters(composed.parameters)
    if composed.mistakes:
        yield f"to do: {composed.mistakes}"
    if composed.left_out:
        yield f"still left out, as you deleted them: {first_and_more(composed.left_out, _MOST)}"
    yield "results: yours stay until the next run makes new ones; `smallset status` says what it will do again, and why"
    if git("diff", "--name-only", sides.ours, composed.commit, "--", *_ENVIRONMENT):
        yield "environment: other versions of libraries: `make .venv/ready` in this folder, before the next run"
    yield f"to take the upgrade back: git reset --keep {sides.ours[:8]}"


def _parameters(merged: Merged) -> Iterator[str]:
    for key, value in merged.kept.items():
        if key in merged.both:
            before, after = map(_shown, merged.both[key])
            yield (
                f"{PARAMS}: {key}: yours stays, {_shown(value)}; the default went from {before} to {after}: "
                "see there whether it still means the same"
            )
    if plain := [f"{key}={_shown(value)}" for key, value in merged.kept.items() if key not in merged.both]:
        yield f"{PARAMS}: yours stay: {', '.join(plain)}"
    # Those of libraries are the pipeline's, as requirements.lock has them.
    new = {key: value for key, value in merged.new.items() if not key.startswith(_VERSIONS)}
    defaults = {key: both for key, both in merged.defaults.items() if not key.startswith(_VERSIONS)}
    yield from _list("new", [f"{key}={_shown(value)}" for key, value in new.items()])
    yield from _list("new default", [f"{key}: {_shown(a)} -> {_shown(b)}" for key, (a, b) in defaults.items()])
    for key, value in merged.gone.items():
        if value is not None:
            yield f"{PARAMS}: {key}: gone, and yours was {_shown(value)}: look for what took its place"
    if gone := [key for key, value in merged.gone.items() if value is None and not key.startswith(_VERSIONS)]:
        yield f"{PARAMS}: gone: {', '.join(gone)}"
    if merged.lost:
        yield f"{PARAMS}: comments of yours that are not in it any more: {', '.join(map(repr, merged.lost))}"


def _list(what: str, values: Sequence[str]) -> Iterator[str]:
    if values:
        yield f"{PARAMS}: {what}: {', '.join(values)}"


def left_behind(files: Collection[str]) -> list[str]:
    """A line on what git ignored before, and knows nothing of now; none where there is nothing."""
    if not files:
        return []
    named = first_and_more(sorted(files), _MOST)
    return [visible(f"no longer ignored by git, yours or left by the older pipeline: {named}")]


def _shown(value: Any) -> str:
    """A value as YAML has it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
