"""The tasks of `benchmarks.few_images`: images of an archive at one size, their features, and what is trained on."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np

from benchmarks.few_code import SHAPING, code_of
from stages.lib.core.errors import UserError
from stages.lib.core.outputs import atomic_directory
from stages.lib.core.params import CommonParams
from stages.lib.images.set_aside import is_set_aside
from stages.lib.labelling.layout import read_layout
from stages.lib.labelling.layout_refusal import Unclear
from stages.lib.sources.archives import members

MOST_TESTED = 600  # test images of a class
_ENOUGH = 1000  # images of a class in the second half, for the first half to be spared
_SECOND_HALF = "89abcdef"
_BATCH = 64
_LISTING = "images.json"


@dataclass(frozen=True)
class Split:
    """Numbers of images, int64 each: no image is in two of them."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Task:
    """Images of one archive, seen at one size through one backbone.

    Attributes:
        name: of the archive and the size.
        folder: of the images, `<class>/<file>`.
        names: of the images, relative to the folder; sorted.
        labels: int64 (images,), indices into `classes`.
        classes: names, sorted.
        common: section `common` of params.yaml, with the size of the task.
        preset: directory of the backbone.
        identity: of the archive, the backbone and the size; equal for equal contents.
        cache: folder of the features; another one for other code that makes them.
    """

    name: str
    folder: Path
    names: list[str]
    labels: np.ndarray
    classes: list[str]
    common: CommonParams
    preset: Path
    identity: str
    cache: Path

    @property
    def paths(self) -> list[Path]:
        """Files of the images."""
        return [self.folder / name for name in self.names]

    @cached_property
    def features(self) -> tuple[np.ndarray, np.ndarray]:
        """Features of the images and of the mirrored images, float32 (images, channels) each; computed once."""
        if not self.cache.is_dir():
            found = _features(self)
            with atomic_directory(self.cache) as unfinished:
                for name, vectors in zip(("vectors", "mirrored"), found, strict=True):
                    np.save(unfinished / f"{name}.npy", vectors)
        vectors, mirrored = (np.load(self.cache / f"{name}.npy") for name in ("vectors", "mirrored"))
        return vectors, mirrored

    @property
    def smallest(self) -> int:
        """Images of the smallest class."""
        return int(np.bincount(self.labels).min())

    def has_room_for(self, count: int) -> bool:
        """Whether so many training images of each class leave some to test on, at least a quarter of the class."""
        return 4 * (count + validated(count)) <= 3 * self.smallest

    def split(self, count: int, seed: int) -> Split:
        """So many training images of each class, half as many to validate on, and the rest to test on.

        Each seed shuffles the classes anew. The training images of a small count are among those of a larger one. At
        most `MOST_TESTED` images of a class are tested, taken from the other end: where there are enough, they are the
        same for every count.
        """
        taken: tuple[list[np.ndarray], ...] = ([], [], [])
        for label in range(len(self.classes)):
            rows = np.random.default_rng([seed, label]).permutation(np.flatnonzero(self.labels == label))
            used = count + validated(count)
            parts = rows[:count], rows[count:used], rows[max(used, len(rows) - MOST_TESTED) :]
            for images, part in zip(taken, parts, strict=True):
                images.append(part)
        return Split(*(np.sort(np.concatenate(part)) for part in taken))


def validated(count: int) -> int:
    """Images of a class to validate on, beside so many training images."""
    return max(1, count // 2)


def read_task(asked: str, preset: Path, cache: Path, common: CommonParams) -> Task:
    """Unpack the archive of a task into the cache, once.

    Of an archive with enough images only those are used whose file name has a sha256 that begins with 8 to f: recipes
    are chosen on the others.

    Args:
        asked: ARCHIVE:PIXELS.
        preset: directory of the backbone.
        cache: folder for images and features.
        common: section `common` of params.yaml.

    Raises:
        UserError: another form, no such archive or preset, or no classes in it.
    """
    file, _, pixels = asked.rpartition(":")
    archive = Path(file)
    if not file or not pixels.isdecimal() or int(pixels) < 8:
        raise UserError(f"{asked}: expected an archive and pixels, such as cats.zip:64")
    for path, kind in ((archive, archive.is_file()), (preset / "config.json", (preset / "config.json").is_file())):
        if not kind:
            raise UserError(f"{path}: no such file")
    common = CommonParams.model_validate(common.model_dump() | {"image_size": int(pixels)})
    content = _digest([archive])
    folder = cache / f"{archive.stem}-{content[:12]}"
    if not folder.is_dir():
        _unpack(archive, folder)
    names = _used(json.loads((folder / _LISTING).read_text(encoding="utf-8")))
    labels = [PurePosixPath(name).parent.as_posix() for name in names]
    classes = sorted(set(labels))
    shaping = json.dumps([common.resize, common.interpolation, common.image_size])
    weights = _digest(sorted(file for file in preset.rglob("*") if file.is_file()))
    identity = hashlib.sha256(f"{content} {weights} {shaping}".encode()).hexdigest()
    return Task(
        name=f"{archive.stem} at {pixels} px",
        folder=folder,
        names=names,
        labels=np.searchsorted(classes, labels).astype(np.int64),
        classes=classes,
        common=common,
        preset=preset,
        identity=identity,
        cache=cache / f"features-{identity[:12]}-{code_of(SHAPING)}",
    )


def _digest(files: list[Path]) -> str:
    found = hashlib.sha256()
    for file in files:
        found.update(file.name.encode())
        found.update(file.read_bytes())
    return found.hexdigest()


def _unpack(archive: Path, folder: Path) -> None:
    with members(archive) as found:
        images = {one.name: one for one in found if not one.is_folder and not is_set_aside(one.name)}
        try:
            layout = read_layout(sorted(images))
        except Unclear as error:
            raise UserError(f"{archive}: {error}") from None
        names = []
        with atomic_directory(folder) as unfinished:
            for name, image in images.items():
                if (placed := layout.place(name)) is not None:
                    names.append(f"{placed.label}/{PurePosixPath(name).name}")
                    file = unfinished / names[-1]
                    file.parent.mkdir(parents=True, exist_ok=True)
                    if file.exists():
                        raise UserError(f"{archive}: {names[-1]}: expected one file of a name in a class, found two")
                    file.write_bytes(image.read())
            (unfinished / _LISTING).write_text(json.dumps(sorted(names)), encoding="utf-8")


def _used(names: list[str]) -> list[str]:
    half = [name for name in names if _is_of_second_half(PurePosixPath(name).name)]
    counts = Counter(PurePosixPath(name).parent for name in half)
    return half if min(counts.values(), default=0) >= _ENOUGH else names


def _is_of_second_half(name: str) -> bool:
    return hashlib.sha256(name.encode()).hexdigest()[0] in _SECOND_HALF


def _features(task: Task) -> tuple[np.ndarray, np.ndarray]:
    from stages.lib.images.decode import stream
    from stages.lib.images.resizing import asked
    from stages.lib.inference.forward import compiled
    from stages.lib.networks.build import feature_extractor

    forward = compiled(feature_extractor(task.preset, task.common.pixels, "float32"), _BATCH)
    resizing = asked(task.common, task.preset)
    both: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for batch in stream(task.paths, task.common.pixels, "rgb", _BATCH, resizing=resizing):
        both[0].append(forward(batch))
        both[1].append(forward(np.ascontiguousarray(batch[:, :, ::-1])))
    return np.concatenate(both[0]), np.concatenate(both[1])
