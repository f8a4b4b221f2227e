"""Folders and archives as people have them: the classes and counts that are found, or the refusal.

    python -m benchmarks.layouts

With `--json` one object: by the layout what it is, what `split.labels` says, and what came of it.
"""

import contextlib
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import typer
from PIL import Image

from benchmarks.options import Json
from stages.lib.core.data_sections import AUTO
from stages.lib.core.errors import UserError
from stages.lib.images.set_aside import is_packed
from stages.lib.inventory.contents import take_inventory
from stages.lib.labelling.labels import label_images
from stages.lib.sources.archives import members
from stages.lib.sources.raw_archive import write_zip

_BROKEN = (".heic",)  # of these no decoder is at hand
_NUMBERS = "{0,1,2}"
_KAGGLE = ["dogs-vs-cats/train/{cat,dog}.#.jpg", "dogs-vs-cats/test1/#.jpg"]
_IMAGENET = ["CLS-LOC/train/{n01440764,n01443537}/n_#.JPEG", "CLS-LOC/val/ILSVRC2012_val_0000#.JPEG"]
_LEFT_OVER = {"birds/robin/Icon\r": "", "birds/Thumbs.db": "x", "birds/wren/notes.txt": "x", "birds/.Trash/x.jpg": "x"}
_PATIENTS = "\ufeffpath,label,group\n" + "".join(
    f"scans\\{n}.jpg,{('ill', 'well')[n % 2]},p{n // 2}\n" for n in range(6)
)


@dataclass(frozen=True)
class Made:
    """A layout.

    kind: folder, or of an archive as `shutil.make_archive` names it. patterns: of paths, {a,b} for either and # for
    three numbers; a folder ends in `/`. texts: content of files that are no images. links: path and target.
    """

    title: str
    kind: str
    patterns: list[str]
    texts: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    labels: str = AUTO


LAYOUTS = [
    Made("class folders, and what systems and people leave", "folder", ["birds/{robin,wren}/IMG_#.jpg"], _LEFT_OVER),
    Made("class folders, and anything below", "folder", ["cat/1.jpg", "{cat,dog}/{2023,2024}/#.jpg"]),
    Made("Kaggle's two archives, unpacked", "zip", _KAGGLE),
    Made("subsets above the classes", "zip", ["data/{training_set,val,test_set}/{cat,dog}/#.jpg"]),
    Made("subsets below the classes", "gztar", ["pets/{cat,dog}/{train,test}/#.jpg"]),
    Made("ImageNet", "gztar", _IMAGENET),
    Made("one folder, classes in the names", "folder", ["{cat,dog} (#).jpg", "great_tit_#.jpg"]),
    Made("a csv with patients", "zip", ["scans/{0,1,2,3,4,5,6}.jpg"], {"labels.csv": _PATIENTS}, labels="labels.csv"),
    Made("years above, by expression", "folder", ["{2023,2024}/{cat,dog}/#.jpg"], labels=r"^\d+/(?P<label>[^/]+)/"),
    Made("years above the classes", "folder", ["{2023,2024}/{cat,dog}/#.jpg"]),
    Made("images and masks", "zip", ["images/{cat,dog}_#.jpg", "annotations/trimaps/{cat,dog}_#.png"]),
    Made("subsets in longer names", "zip", ["{asl_train,asl_test}/{A,B}/#.jpg"]),
    Made("subset and class in one name", "folder", ["{trainA,trainB,testA,testB}/#.jpg"]),
    Made("masks inside the classes", "folder", ["{cat,dog}/{images,masks}/#.png"]),
    Made("the same images in several ways", "zip", ["{color,grayscale}/{apple,kiwi}/#.jpg"]),
    Made("class folders and a loose image", "folder", ["{cat,dog}/#.jpg", "cover.jpg"]),
    Made("a class called as a subset", "folder", ["{cat,dog,test}/#.jpg"]),
    Made("numbers alone, and a csv", "folder", ["#.jpg"], {"labels.csv": "path,label\n0.jpg,cat\n"}),
    Made("an empty class folder", "folder", ["{robin,wren}/#.jpg", "heron/"]),
    Made("a class that cannot be decoded", "zip", ["{robin,wren}/#.jpg", "heron/#.heic"]),
    Made("two names that look alike", "zip", ["{cat,cat ,dog}/#.jpg"]),
    Made("two names for one folder", "folder", ["{cat,dog}/#.jpg"], links={"kitten": "cat"}),
]


def result_of(made: Made) -> dict[str, Any]:
    """What comes of a layout: read, packed, described and labelled as the stages do it.

    Returns:
        classes: images by class. subsets, groups: how many images come with one, by name. without: images that
        have no class. aside: files set aside by their names. Or only refusal: the error.
    """
    with _elsewhere():
        source = _make(made)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                with members(source) as found:
                    packed = [member for member in found if is_packed(member.name)]
                    aside = sum(not is_packed(member.name) for member in found)
                    write_zip(Path("raw.zip"), packed, "packing")
                images, broken = take_inventory(Path("raw.zip"))
                aside += sum(file.by_name for file in broken)
                undecodable = [file for file in broken if not file.by_name]
                kept, without = label_images(Path("raw.zip"), images, undecodable, made.labels, None)
        except UserError as error:
            return {"refusal": str(error)}
    return {
        "classes": _counted(image.label for image in kept),
        "subsets": _counted(image.subset for image in kept if image.subset),
        "groups": _counted(image.group for image in kept if image.group),
        "without": len(without),
        "aside": aside,
    }


def main(as_json: Json = False) -> None:
    """Make each layout with small images, and print what comes of it."""
    results = [(made, result_of(made)) for made in LAYOUTS]
    if as_json:
        content = {made.title: {"kind": made.kind, "labels": made.labels} | result for made, result in results}
        typer.echo(json.dumps(content, indent=2))
        return
    for made, result in results:
        typer.echo(f"{f'{made.title} ({made.kind})':58} {in_a_line(result)}")


def in_a_line(result: dict[str, Any]) -> str:
    """What came of a layout; of a refusal what was received."""
    if "refusal" in result:
        _, _, received = result["refusal"].partition("Received: ")
        return f"refused: {received.partition('; set split.labels')[0] or result['refusal']}"
    parts = [", ".join(f"{name} {count}" for name, count in result[key].items()) for key in ("classes", "subsets")]
    rest = {"groups": len(result["groups"]), "without a class": result["without"], "set aside": result["aside"]}
    return "; ".join(filter(None, [*parts, *(f"{count} {word}" for word, count in rest.items() if count)]))


def _counted(names: Iterator[str]) -> dict[str, int]:
    values, counts = np.unique(list(names), return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


@contextlib.contextmanager
def _elsewhere() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        before = Path.cwd()
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def _make(made: Made) -> Path:
    """The images of a layout as a folder or an archive, in the working directory."""
    folder = Path("own")
    names = [name for pattern in made.patterns for name in _expanded(pattern.replace("#", _NUMBERS))]
    for number, name in enumerate(names):
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"undecodable" if path.suffix in _BROKEN else _image(number))
    for name, text in made.texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name, target in made.links.items():
        (folder / name).symlink_to(target)
    return folder if made.kind == "folder" else Path(shutil.make_archive("packed", made.kind, folder))


def _expanded(pattern: str) -> list[str]:
    """The pattern with each of the choices in braces."""
    if not (found := re.search(r"\{([^}]*)\}", pattern)):
        return [pattern]
    start, end = pattern[: found.start()], pattern[found.end() :]
    return [name for choice in found[1].split(",") for name in _expanded(start + choice + end)]


def _image(seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).resize((24, 24)).save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    typer.run(main)
