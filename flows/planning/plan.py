"""What a run is asked for, turned into parameters; nothing is written before all of it is known to be possible."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flows.errors import FlowError
from flows.planning.errors import UsageError
from flows.planning.given import Given, own_labels, understand
from flows.planning.look import Look, look
from flows.planning.own_images import Decided, decide, of_other_images
from flows.planning.settings import read_settings
from flows.planning.work import Work
from flows.project import profiles
from flows.project.divided import read_split
from flows.project.parameters import PARAMS, check_parameters
from flows.project.profiles import Changed

BACKBONE = Path("models") / "backbone"
_BACKBONE_OF = ("backbone.preset", "backbone.candidates")
_SIDE = 224  # pixels: of most presets that do not say it


@dataclass(frozen=True)
class Asked:
    """What somebody typed.

    Attributes:
        where: the folder that it was typed in.
        source: of the images; None: as params.yaml says.
        settings: `key=value`, each.
        profile: name of a profile whose values come first.
        preset: for `backbone.preset`.
        to_look: whether to look at the images that params.yaml names, too.
    """

    where: Path
    source: str | None = None
    settings: Sequence[str] = ()
    profile: str | None = None
    preset: str | None = None
    to_look: bool = False

    @property
    def is_anything(self) -> bool:
        """Whether anything is asked for, rather than what params.yaml says."""
        return self.source is not None or self.profile is not None or bool(self.settings or self.preset or self.to_look)


@dataclass(frozen=True)
class Plan:
    """What would be written, and why.

    Attributes:
        title: of the images.
        changed: params.yaml as it would be.
        kept: values of somebody's own that images like these would not get, as sentences.
        found: from the look; None where there was none.
    """

    title: str
    changed: Changed
    kept: Sequence[str] = ()
    found: Look | None = None


def make_plan(asked: Asked) -> Plan:
    """Decide on the parameters of a run, in the project in the working directory.

    Raises:
        UsageError: the images cannot be used; the message says why.
        FlowError: a parameter that is not there, or of the wrong value.
    """
    before, here = profiles.current(), Path.cwd()
    given = understand(asked.source, asked.where, here) if asked.source is not None else None
    said = _said(asked, given, before, here)
    with _typed():
        overlays = profiles.of_profile(asked.profile) if asked.profile else []
        overlays += profiles.of_values(said, "--set")
        wanted = profiles.changed(overlays)
    title = given.title if given else str(wanted.values.get("download.path"))
    if given is None and not asked.to_look:
        if wanted.changes:
            with _typed():
                _check(wanted)
        is_other = any(before.get(key) != wanted.values.get(key) for key in _BACKBONE_OF)
        # Else a name with a mistake in it would be found out once everything before the backbone is done.
        return Plan(title, wanted, found=look(wanted.text, at_images=False) if is_other else None)
    is_new = given is not None and any(before.get(key) != value for key, value in given.values.items())
    of_others = of_other_images(wanted.values, said) if is_new and not asked.profile else []
    try:
        found = look(wanted.text, known=given is not None and not is_new)
    except UsageError as error:
        raise UsageError("; ".join([str(error), *(f"still set is {line}" for line in of_others)])) from None
    decided = decide(wanted.values, found, said) if is_new and not asked.profile else Decided()
    decided.kept.extend(of_others)
    if decided.values:
        wanted = profiles.changed([*overlays, *profiles.of_values(decided.values, "own images")])
        _check(wanted)
    return Plan(title, wanted, decided.kept, found)


@contextmanager
def _typed() -> Iterator[None]:
    """A mistake in what was typed, rather than in params.yaml."""
    try:
        yield
    except FlowError as error:
        raise UsageError(str(error)) from None


def _said(asked: Asked, given: Given | None, before: Mapping[str, Any], here: Path) -> dict[str, Any]:
    """Every value that follows from the command line by itself."""
    said: dict[str, Any] = {}
    if given:
        said |= given.values
        if own_labels(before.get("split.labels"), given, here):
            said["split.labels"] = "auto"
        if given.values.get("download.url") != before.get("download.url") and before.get("download.sha256"):
            said["download.sha256"] = None
    if asked.preset:
        said["backbone.preset"] = _preset(asked.preset, asked.where, here)
    return said | read_settings(asked.settings)


def _preset(text: str, where: Path, here: Path) -> str:
    """A preset by its name, or the directory that the text means where it was typed."""
    try:
        place = Path(os.path.normpath(where / Path(text).expanduser()))
        if not place.is_dir():
            return text
    except (OSError, RuntimeError):
        return text
    return place.relative_to(here).as_posix() if place.is_relative_to(here) else str(place)


def _check(wanted: Changed) -> None:
    # A place of its own: looks take no lock, and two may be at work at once.
    with TemporaryDirectory(prefix="smallset-") as folder:
        file = Path(folder) / PARAMS.name
        file.write_text(wanted.text, encoding="utf-8")
        check_parameters(file)


def work_of(values: Mapping[str, Any], found: Look | None) -> Work:
    """What stages have to do with such parameters: by what a look found, else by what the last run has left."""
    preset = found.preset if found and found.preset else {"name": values.get("backbone.preset"), "size": None}
    size = values.get("common.image_size")
    drawn = preset["name"] == "auto" and values.get("download.source") == "sample"
    side = size if isinstance(size, int) else preset["size"] or _SIDE
    weights = preset["bytes"] if found and found.preset else _weights()
    if found and found.images:
        subsets, least = found.images["divided"], found.images["least"]["train"]
    else:
        subsets, least = _divided()
    return Work(subsets, side, "sample" if drawn else preset["name"], weights, values, least)


def _divided() -> tuple[dict[str, int], int | None]:
    """Images of each subset, and the training images of the class that has the fewest."""
    names = ("train", "validation", "test")
    try:
        found = read_split()
        return {name: sum(found[name].values()) for name in names}, min(found["train"].values())
    except (ValueError, KeyError, AttributeError, TypeError):
        return dict.fromkeys(names, 0), None


def _weights() -> int | None:
    """Bytes of the backbone that a run has left."""
    return sum(file.stat().st_size for file in BACKBONE.glob("*.weights.h5")) or None
