"""What a repository says, read only in the shape that a run gives it: whoever may push wrote it, perhaps by hand."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from flows.errors import FlowError
from safety.text import visible

SUMMARY = Path("report") / "summary.json"  # what the stage `report` says of the recommended model
# Of run.json: one more with each change after which an older version would misread it (docs/releasing.md).
SCHEMA = 2
# What schema 1 called pictures, by the part of the record in which it stands; the record itself is the part "".
_RENAMED = {
    "": ("test_pictures", "test_images"),
    **dict.fromkeys(("data", "summary", "comparison", "beside_best"), ("pictures", "images")),
}
_CHECKSUM = r"[0-9a-f]{32}(\.dir)?"
_LONGEST = 80  # characters of a wrong value that an error repeats

Checksum = Annotated[str, StringConstraints(pattern=f"^{_CHECKSUM}$")]
Commit = Annotated[str, StringConstraints(pattern="^([0-9a-f]{40}|[0-9a-f]{64})$")]
Word = Annotated[str, StringConstraints(pattern="^[a-z][a-z _-]*$", max_length=40)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Lenient(BaseModel):
    """Fields of other versions may stand beside these; a value is never turned into one of another type."""

    model_config = ConfigDict(extra="allow", strict=True)


class Summary(_Lenient):
    """report/summary.json, as far as flows read it; all of it may be absent, as before the first report."""

    recommended: str = ""
    advice: Literal["use", "do not use"] = "use"
    headline: Literal["accuracy", "balanced_accuracy"] = "accuracy"
    accuracy: Share | None = None
    accuracy_low: Share | None = None
    accuracy_high: Share | None = None
    balanced_accuracy: Share | None = None
    balanced_accuracy_low: Share | None = None
    balanced_accuracy_high: Share | None = None
    images: Annotated[int, Field(ge=0)] = 0
    verdict: str | None = None
    why: str | None = None
    cautions: list[str] | None = None
    next: list[str] | None = None


class _Data(_Lenient):
    images: dict[str, Annotated[int, Field(ge=0)]] = {}
    archive: Checksum | None = None


class _StageOfRun(_Lenient):
    name: str = ""
    outcome: str = ""
    seconds: float | None = None


class _Run(_Lenient):
    started: str = ""
    seconds: float | None = None
    machine: dict[str, Any] = {}
    packages: dict[str, str] = {}
    stages: list[_StageOfRun] = []


class Record(_Lenient):
    """run.json of a saved run, as `flows.registry.run_record.compose` writes it.

    Attributes:
        schema_number: without one it is of the oldest schema, 1.
    """

    schema_number: Annotated[int, Field(ge=1, alias="schema")] = 1
    id: Annotated[str, StringConstraints(pattern="^[0-9A-Za-z][0-9A-Za-z_-]*$", max_length=100)]
    branch: str | None = None
    source: Commit | None = None
    outcome: Word | None = None
    decision: Word | None = None
    reason: str | None = None
    instead_of: str | None = None
    asks: bool = False
    test_images: dict[str, Any] | None = None
    data: _Data | None = None
    classifier: Checksum | None = None
    summary: Summary | None = None
    run: _Run | None = None


class _Dependency(_Lenient):
    path: str
    md5: Checksum | None = None


class _Output(BaseModel):
    """Nothing besides: `files` of an output would name paths of its own."""

    model_config = ConfigDict(extra="forbid", strict=True)

    path: str
    hash: Literal["md5"] | None = None
    md5: Checksum | None = None
    size: Annotated[int, Field(ge=0)] | None = None
    nfiles: Annotated[int, Field(ge=0)] | None = None
    isexec: bool | None = None


class _Stage(_Lenient):
    deps: list[_Dependency] = []
    outs: list[_Output] = []


class _Lock(_Lenient):
    stages: dict[str, _Stage] = {}


def read_record(text: str, where: str) -> dict[str, Any] | None:
    """Read run.json.

    Args:
        where: it lies, for the error.

    Returns:
        Its values as they stand there, under the keys of the present schema; None where it is no record of a run but
        something of the same name.

    Raises:
        FlowError: a value is not of the kind that a run writes, or a later version of Smallset wrote it.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or "id" not in found:
        return None
    # First: what a later version means by its keys is not known here.
    number = found.get("schema")
    if isinstance(number, int) and number > SCHEMA:
        raise FlowError(
            f"{where}: schema: expected at most {SCHEMA}. Received: {number}; use a newer version of Smallset"
        )
    found = _of_present_schema(found)
    _check(Record, found, where)
    return found


def _of_present_schema(found: dict[str, Any]) -> dict[str, Any]:
    """Bring a record of an older schema, of which nothing is checked yet, to the present one."""
    number = found.get("schema", 1)
    if type(number) is not int or number != 1:  # True equals 1.
        return found
    renamed = found | {"schema": SCHEMA}
    for place, (old, new) in _RENAMED.items():
        part = renamed if not place else renamed.get(place)
        if isinstance(part, dict) and old in part:
            part[new] = part.pop(old)
    return renamed


def check_summary(found: Mapping[str, Any], where: str) -> None:
    """Raise FlowError where a value of a summary is not of the kind that a report writes."""
    _check(Summary, found, where)


def check_lock(found: Mapping[str, Any], where: str) -> None:
    """Raise FlowError where dvc.lock could lead DVC to a file that is none of its cache, or out of the project."""
    _check(_Lock, found, where)
    for path in _output_paths(found):
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts:
            raise FlowError(f"{where}: outs: expected a path inside the project. Received: {_shown(path)}")


def is_checksum(text: object) -> bool:
    """Whether this is a checksum of DVC's, whose parts name a file of its cache and no other."""
    return isinstance(text, str) and re.fullmatch(_CHECKSUM, text) is not None


def _output_paths(found: Mapping[str, Any]) -> Iterator[str]:
    for stage in found.get("stages", {}).values():
        for out in stage.get("outs", []):
            yield out["path"]


def _check(model: type[BaseModel], found: Mapping[str, Any], where: str) -> None:
    try:
        model.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise FlowError(f"{where}: {key}: {first['msg']}. Received: {_shown(first['input'])}") from None


def _shown(value: object) -> str:
    text = visible(repr(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
