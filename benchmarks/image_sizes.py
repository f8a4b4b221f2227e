"""The size at which images go through a pretrained backbone: share of right answers, by the images' own size.

    python -m benchmarks.image_sizes models/backbone dogs-vs-cats-5000.zip
    python -m benchmarks.image_sizes models/backbone dogs-vs-cats-5000.zip --own 0,96,48 --sizes 96,160,224 --json

Of each class so many images, drawn by the seed. `--own` shrinks them first, to squares of so many pixels, as if they
had been taken so; 0 leaves them as they are. Then each size is tried: features of a frozen backbone, and the logistic
head of `feature_extraction` on 30 images of each class, drawn five times; the others are tested.
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image

from benchmarks.options import Archive, Json, PresetFolder, mistakes_in_one_line
from stages.lib.core.errors import UserError
from stages.lib.labelling.labels import is_image_name
from stages.lib.labelling.layout import read_layout
from stages.lib.networks.startup import start_tensorflow

_TRAINED, _DRAWS, _BATCH = 30, 5, 32

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def read_images(archive: Path, count: int, seed: int) -> tuple[list[Image.Image], np.ndarray]:
    """Read so many images of each class of a zip, RGB, and their labels, int64 (images,)."""
    with zipfile.ZipFile(archive) as opened:
        names = sorted(name for name in opened.namelist() if is_image_name(name))
        layout, classes = read_layout(names), dict[str, list[str]]()
        for name in names:
            if place := layout.place(name):
                classes.setdefault(place.label, []).append(name)
        rng = np.random.default_rng(seed)
        chosen = [(name, label) for label in sorted(classes) for name in rng.permutation(classes[label])[:count]]
        images = [Image.open(io.BytesIO(opened.read(name))).convert("RGB") for name, _ in chosen]
    return images, np.unique([label for _, label in chosen], return_inverse=True)[1]


def features(preset: Path, images: list[Image.Image], size: int) -> np.ndarray:
    """Pooled features of images at a size, float32 (images, channels)."""
    import keras

    from stages.lib.networks.build import feature_extractor

    network = feature_extractor(preset, size, "float32")
    squares = [np.asarray(image.resize((size, size), Image.Resampling.BILINEAR), np.float32) for image in images]
    found = [
        keras.ops.convert_to_numpy(network(np.stack(squares[at : at + _BATCH]), training=False))
        for at in range(0, len(squares), _BATCH)
    ]
    keras.utils.clear_session()
    return np.concatenate(found)


def share_right(vectors: np.ndarray, labels: np.ndarray) -> float:
    """Share of right answers of the head on images that it has not seen, mean of several draws."""
    from stages.lib.heads import logistic

    shares = []
    for seed in range(_DRAWS):
        rng = np.random.default_rng(seed)
        drawn = [rng.permutation(np.flatnonzero(labels == label))[:_TRAINED] for label in np.unique(labels)]
        train = np.concatenate(drawn)
        rest = np.setdiff1d(np.arange(len(labels)), train)
        head = logistic.fit(vectors[train], labels[train], np.arange(len(train)), len(drawn), seed)
        shares.append((head.logits(vectors[rest]).argmax(axis=1) == labels[rest]).mean())
    return float(np.mean(shares))


@app.command()
@mistakes_in_one_line()
def main(
    preset: PresetFolder,
    archive: Archive,
    own: Annotated[str, typer.Option(help="Pixels that the images have themselves; 0: as they are.")] = "0,96,48,32",
    sizes: Annotated[str, typer.Option(help="Pixels at which they go through the backbone.")] = "96,160,192,224",
    images: Annotated[int, typer.Option(min=_TRAINED + 1, help="Of each class.")] = 80,
    as_json: Json = False,
) -> None:
    """Measure every own size at every size of the backbone."""
    found, labels = read_images(archive, images, 0)
    if (fewest := int(np.bincount(labels).min())) <= _TRAINED:
        raise UserError(f"{archive}: expected more than {_TRAINED} images of each class. Received: {fewest}")
    start_tensorflow()
    rows: list[dict[str, Any]] = []
    for pixels in map(int, own.split(",")):
        shrunk = [image.resize((pixels, pixels), Image.Resampling.LANCZOS) for image in found] if pixels else found
        for size in map(int, sizes.split(",")):
            rows.append({"own": pixels, "size": size, "right": share_right(features(preset, shrunk, size), labels)})
            if not as_json:
                typer.echo(f"own {pixels or 'as they are':>11}  size {size:3}  right {rows[-1]['right']:.3f}")
    if as_json:
        typer.echo(json.dumps(rows))


if __name__ == "__main__":
    app()
