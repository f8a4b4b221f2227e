"""The stage `split` run on images that a test makes; what holds for every split is checked each time."""

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from stages.lib.core.params import CommonParams
from stages.lib.images.manifest import read_manifest
from stages.split import SplitParams, split

COLUMNS = ["path", "class", "subset", "group", "width", "height", "bytes", "sha256", "brightness", "sharpness"]


def pixels(seed: int) -> Image.Image:
    """An image of its own: coarse noise."""
    rng = np.random.default_rng(seed)
    # As in photographs less of colour than of light.
    noise = (0.75 * rng.integers(0, 256, (6, 6, 1)) + 0.25 * rng.integers(0, 256, (6, 6, 3))).astype(np.uint8)
    return Image.fromarray(noise).resize((144, 108), Image.Resampling.BICUBIC)


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def numbered(**counts: int) -> dict[str, bytes]:
    seeds = iter(range(10_000))
    return {
        f"train/{label}.{n}.jpg": jpeg(pixels(next(seeds))) for label, count in counts.items() for n in range(count)
    }


class Result:
    """What the stage wrote."""

    def __init__(self) -> None:
        self.manifest = read_manifest(Path("manifest.csv"))
        self.rejected = pd.read_csv("rejected.csv")
        self.duplicates = pd.read_csv("duplicates.csv")
        self.counts = json.loads(Path("split.json").read_text())
        self.files = {
            path.relative_to("dataset").as_posix(): path.read_bytes()
            for path in Path("dataset").rglob("*")
            if path.is_file()
        }

    def names(self, subset: str, label: str) -> set[str]:
        rows = self.manifest[(self.manifest["subset"] == subset) & (self.manifest["class"] == label)]
        return {Path(path).name for path in rows["path"]}

    def everything(self) -> tuple[object, ...]:
        tables = [Path(f"{name}.csv").read_bytes() for name in ("manifest", "rejected", "duplicates")]
        return self.files, tables, self.counts


def run(content: dict[str, bytes] | Path, seed: int = 1, **changes: object) -> Result:
    archive = content if isinstance(content, Path) else Path("raw.zip")
    if isinstance(content, dict):
        with zipfile.ZipFile(archive, "w") as opened:
            for name, data in content.items():
                opened.writestr(name, data)
    values = {"labels": "auto", "group": None, "order": "shuffle", "train": 0.4, "validation": 0.2, "test": 0.4}
    params = SplitParams.model_validate(
        values
        | {"min_per_class": 1, "strays": "error", "max_rejected": 0.01}
        | {"near_duplicates": 2.5, "max_near_duplicates": 0.3}
        | changes
    )
    outputs = [
        Path(name)
        for name in ("dataset", "manifest.csv", "rejected.csv", "duplicates.csv", "split.json", "metrics.json")
    ]
    split(
        archive,
        *outputs,
        CommonParams(
            seed=seed, deterministic=False, image_size=32, batch_size=8, resize="stretch", interpolation="bilinear"
        ),
        params,
    )
    result = Result()
    check(result)
    return result


def check(result: Result) -> None:
    """What holds for every split: the manifest is the dataset, subsets are disjoint, groups of copies whole."""
    manifest = result.manifest
    assert list(manifest) == COLUMNS
    assert manifest["path"].tolist() == sorted(result.files)
    for row in manifest.to_dict("records"):
        content = result.files[row["path"]]
        assert row["path"].split("/")[:2] == [row["subset"], row["class"]]
        assert (row["bytes"], row["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        assert Image.open(io.BytesIO(content)).size == (row["width"], row["height"])
        assert 0 <= row["brightness"] <= 1
        assert row["sharpness"] >= 0
    assert manifest["sha256"].is_unique
    assert json.loads(Path("metrics.json").read_text()) == {"images": len(manifest)}
    kept = result.duplicates[result.duplicates["action"].str.startswith("kept in")]
    assert (kept.groupby("group")["action"].nunique() == 1).all()
