"""Copies: how many of each kind of edit `split` finds, and how many different images of each kind it takes for copies.

    python -m benchmarks.copies PHOTOGRAPHS... [--count 1000] [--half last] [--json]

PHOTOGRAPHS are folders, zips or tars of photographs. Of each kind `count` images are made from them, or as many as
they allow. Every image goes through the stage's own functions, uncompressed: what an edit recompressed stays as it is.
Half of the photographs, `first`, served to choose the numbers in `stages.lib.duplicates.likeness`; `last` is the other
one. Copies that the photographs themselves hold count among the different ones.
"""

import io
import json
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import typer
from PIL import Image

from benchmarks.copy_edits import EDITS
from benchmarks.copy_kinds import DIFFERENT, Photographs
from benchmarks.options import Json, mistakes_in_one_line
from benchmarks.tables import show
from stages.lib.core.errors import UserError
from stages.lib.duplicates.groups import near_groups
from stages.lib.images.decode import decode
from stages.lib.images.set_aside import is_set_aside
from stages.lib.inventory.contents import ArchiveImage, take_inventory
from stages.lib.sources.archives import members

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@mistakes_in_one_line()
def main(
    photographs: list[Path],
    count: Annotated[int, typer.Option(min=8, help="Images of each kind.")] = 1000,
    half: Annotated[Literal["first", "last"], typer.Option(help="Half of the photographs.")] = "last",
    limit: Annotated[float, typer.Option(help="As `split.near_duplicates`.")] = 2.5,
    as_json: Json = False,
) -> None:
    """Measure and print."""
    images = _photographs(photographs, half)
    result = {
        "photographs": len(images),
        "limit": limit,
        "different": [_false(name, images, count, limit) for name in DIFFERENT],
        "edits": _found(images[:count], limit),
    }
    if as_json:
        typer.echo(json.dumps(result))
        return
    different: Any = result["different"]
    show(
        ("different images", "images", "taken for copies", "of pairs"),
        [(row["kind"], *(f"{row[key]:,}" for key in ("images", "false", "pairs"))) for row in different],
    )
    edits: Any = result["edits"]
    show(
        ("edited photographs", "images", "found", "with another one"),
        [(row["kind"], f"{row['images']:,}", f"{row['recall']:.1%}", f"{row['false']:,}") for row in edits],
    )


def _photographs(sources: Sequence[Path], half: str) -> list[Image.Image]:
    """Every second photograph, in an order of its own."""
    found = []
    for source in sources:
        with members(source) as listed:
            chosen = [one for one in listed if not (one.is_folder or is_set_aside(one.name))][half == "last" :: 2]
            found += [Image.fromarray(decode(member.read())) for member in chosen]
    if not found:
        raise UserError(f"{', '.join(map(str, sources))}: expected photographs, found none")
    order = np.random.default_rng(0).permutation(len(found)).tolist()
    return [found[place] for place in order]


def _false(kind: str, photographs: Photographs, count: int, limit: float) -> dict[str, Any]:
    images = DIFFERENT[kind](photographs, count, np.random.default_rng(1))
    groups = near_groups(_described(images), limit)
    sizes = np.bincount(groups)[np.unique(groups)]
    return {
        "kind": kind,
        "images": len(images),
        "false": int(sizes[sizes > 1].sum()),
        "pairs": int((sizes * (sizes - 1) // 2).sum()),
    }


def _found(photographs: Photographs, limit: float) -> list[dict[str, Any]]:
    """For each edit: how many of the edited photographs are in a group with their original."""
    originals, rows = _described(photographs), []
    for kind, edit in EDITS.items():
        rng = np.random.default_rng(2)
        edited = _described([edit(photograph, rng) for photograph in photographs])
        groups = near_groups([*originals, *edited], limit)
        own, other = groups[: len(originals)], groups[len(originals) :]
        false = len(own) - len(np.unique(own))
        rows.append({"kind": kind, "images": len(own), "recall": float((own == other).mean()), "false": false})
    return rows


def _described(images: Sequence[Image.Image]) -> list[ArchiveImage]:
    """The images as `split` sees them, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "images.zip")
        with zipfile.ZipFile(archive, "w") as opened:
            for place, image in enumerate(images):
                file = io.BytesIO()
                image.save(file, "BMP")
                opened.writestr(f"{place % 2}/{place // 2:06}.bmp", file.getvalue())
        found, rejected = take_inventory(archive)
    if rejected:
        raise RuntimeError(f"expected images that decode. Received: {rejected[0]}")
    return sorted(found, key=lambda one: (one.name.split("/")[1], one.name))


if __name__ == "__main__":
    app()
