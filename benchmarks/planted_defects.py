"""Defects planted into labelled images, and how many of them the data findings name.

1. Plant. Writes PLANTED.zip, as <class>/<file>, and beside it PLANTED.csv, the truth:

       python -m benchmarks.planted_defects plant IMAGES PLANTED.zip

   IMAGES is a folder, a zip or a tar of labelled images, as `download.path` takes it.

2. Run a project on it, at least up to the stage `label_issues`, with `download: {source: folder, path: PLANTED.zip}`
   and shares (not counts) in `split`, so that every image is used:

       dvc repro label_issues

3. Score. Reads manifest.csv, duplicates.csv and label_issues.csv of the project:

       python -m benchmarks.planted_defects score PLANTED.csv PROJECT/data
"""

import io
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from PIL import Image

from benchmarks.options import mistakes_in_one_line
from stages.lib.core.errors import UserError
from stages.lib.images.decode import decode
from stages.lib.images.set_aside import is_set_aside
from stages.lib.labelling.layout import read_layout
from stages.lib.sources.archives import members
from stages.lib.sources.member import Member, in_memory
from stages.lib.sources.raw_archive import write_zip

KINDS = ("exact", "near", "flipped")
SCALES = (0.6, 0.9)  # share of the side that a resized copy keeps
QUALITIES = (40, 90)  # of a recompressed JPEG
UNTOUCHED = 95  # quality of a copy that is only resized

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
@mistakes_in_one_line()
def plant(
    images: Path,
    planted: Path,
    number: Annotated[int, typer.Option(min=1, help="Defects of each kind.")] = 20,
    seed: int = 1337,
) -> None:
    """Copy labelled images, and plant exact duplicates, near duplicates and flipped labels.

    The truth table: kind, path (in the copy), source (the image that it repeats, in the copy; of a flipped one the
    original), class (as planted), true_class, how.
    """
    rng = np.random.default_rng(seed)
    with members(images) as found:
        candidates = [member for member in found if not (member.is_folder or is_set_aside(member.name))]
        layout = read_layout([member.name for member in candidates])
        placed = [(member, layout.place(member.name)) for member in candidates]
        originals, labels = zip(*((member, place.label) for member, place in placed if place), strict=True)
        if len(originals) < len(KINDS) * number:
            raise UserError(
                f"{images}: expected {len(KINDS) * number} images, each for one defect. Received: {len(originals)}"
            )
        chosen = rng.choice(len(originals), len(KINDS) * number, replace=False)
        kinds = dict(zip(chosen.tolist(), np.repeat(KINDS, number).tolist(), strict=True))
        written, truth = [], []
        for place, (member, label) in enumerate(zip(originals, labels, strict=True)):
            kind = kinds.get(place)
            target = str(rng.choice(sorted(set(labels) - {label}))) if kind == "flipped" else label
            # The whole name in one: files of all classes differ then, and a finding is traced back by it.
            name = member.name.replace("/", "-")
            path = f"{target}/{name}"
            written.append(Member(path, member.source, member.opening))
            if kind == "flipped":
                truth.append((kind, path, member.name, target, label, "label"))
            elif kind is not None:
                copy, how = _copy(kind, member, label, rng)
                written.append(copy)
                truth.append((kind, copy.name, path, label, label, how))
        write_zip(planted, written, "planting")
    table = pd.DataFrame(truth, columns=["kind", "path", "source", "class", "true_class", "how"])
    table.sort_values(["kind", "path"]).to_csv(planted.with_suffix(".csv"), index=False)
    typer.echo(f"{planted}: {len(written)} images; {planted.with_suffix('.csv')}: {number} defects of each kind")


@app.command()
@mistakes_in_one_line()
def score(truth: Path, data: Path) -> None:
    """Count what the findings in the folder `data` of a project caught, and list what they name besides."""
    planted = pd.read_csv(truth, na_filter=False)
    manifest, duplicates, labels = (
        pd.read_csv(data / f"{name}.csv", na_filter=False) for name in ("manifest", "duplicates", "label_issues")
    )
    lines: list[tuple[str, *tuple[object, ...]]] = [("finding", "planted", "caught", "named", "not planted")]
    details: list[str] = []
    for kind in ("exact", "near"):
        copies = planted[planted["kind"] == kind]
        right = set(map(frozenset, zip(copies["path"], copies["source"], strict=True)))
        named = {frozenset(pair) for pair in _pairs(duplicates, kind)}
        lines.append((f"{kind} duplicates (pairs)", len(right), len(right & named), len(named), len(named - right)))
        details += [f"{kind}, missed: {' = '.join(sorted(pair))}" for pair in right - named]
        details += [f"{kind}, not planted: {' = '.join(sorted(pair))}" for pair in named - right]
    flipped = planted[planted["kind"] == "flipped"]
    flips, found = _names(flipped["path"]), _names(labels["path"])
    lines.append(("flipped labels (images)", len(flips), len(flips & found), len(found), len(found - flips)))
    used = flips & _names(manifest["path"])
    details += [f"flipped, missed{'' if name in used else ' (not in the dataset)'}: {name}" for name in flips - found]
    details += [
        f"label, not planted: {row['path']} ({row['p_class']:.3f}), "
        f"suggested {row['suggested']} ({row['p_suggested']:.3f})"
        for row in labels.to_dict("records")
        if PurePosixPath(row["path"]).name not in flips
    ]
    for name, *figures in lines:
        typer.echo(f"{name:28}" + "".join(f"{figure:>12}" for figure in figures))
    for line in sorted(details):
        typer.echo(line)


def _copy(kind: str, member: Member, label: str, rng: np.random.Generator) -> tuple[Member, str]:
    stem = f"{label}/planted-{kind}-{PurePosixPath(member.name.replace('/', '-')).stem}"
    if kind == "exact":
        return Member(stem + PurePosixPath(member.name).suffix, member.source, member.opening), "file"
    change = rng.integers(3)
    scale = 1.0 if change == 0 else round(float(rng.uniform(*SCALES)), 2)
    quality = UNTOUCHED if change == 1 else int(rng.integers(*QUALITIES, endpoint=True))
    content = _changed(member.read(), scale, quality)
    return in_memory(f"{stem}.jpg", lambda: content), f"size {scale:g}, quality {quality}"


def _changed(content: bytes, scale: float, quality: int) -> bytes:
    image = Image.fromarray(decode(content))
    smaller = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    file = io.BytesIO()
    image.resize(smaller, Image.Resampling.LANCZOS).save(file, "JPEG", quality=quality)
    return file.getvalue()


def _pairs(duplicates: pd.DataFrame, kind: str) -> Iterator[tuple[str, str]]:
    """Every two images of one group; they are exact copies if both are marked so."""
    for _, group in duplicates.groupby("group"):
        for one, other in combinations(group.to_dict("records"), 2):
            if (kind == "exact") == (one["kind"] == other["kind"] == "exact"):
                yield one["path"], other["path"]


def _names(paths: Iterable[str]) -> set[str]:
    return {PurePosixPath(path).name for path in paths}


if __name__ == "__main__":
    app()
