"""What the stages make of a tiny random preset of a class of backbones: each stage, explanations, predict, bfloat16."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path

import keras
import keras_hub
import numpy as np
import yaml

from stages.backbone import backbone
from stages.lib.arrays import feature_files
from stages.lib.core.data_sections import DownloadParams
from stages.lib.core.errors import UserError
from stages.lib.core.model_sections import BackboneParams
from stages.lib.core.params import AugmentationParams, CommonParams
from stages.lib.evaluation.heat import heat_of
from stages.lib.networks import build, saved_model, tokens
from stages.lib.networks.unfreezing import blocks
from stages.lib.pretrained.encoders import REFUSED, check_name
from stages.lib.pretrained.presets import save
from stages.predict import predict
from tests.packages import ROOT
from tests.stages.conftest import SIZE, write_dataset
from tests.stages.every_backbone import EVERY
from tests.stages.model_runs import run_stages

COMMON = CommonParams(
    seed=3, deterministic=False, image_size=SIZE, batch_size=8, resize="stretch", interpolation="bilinear"
)
VARIATION = AugmentationParams(flip=True, rotation=0.1, zoom=0.2)
PARTS = ("gives", "stages", "explanations", "predict", "mixed precision")
Row = dict[str, str | float]


def rows(only: Sequence[str] = ()) -> Iterator[Row]:
    """A row for each class, one after the other: family, what works, seconds of the processors; or why it is refused.

    Args:
        only: names of classes; none are all.
    """
    for name in sorted([*EVERY, *REFUSED]):
        if only and name not in only:
            continue
        keras.utils.clear_session()
        keras.utils.set_random_seed(1)
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            yield _row(name, Path(folder))


def quiet_rows(only: Sequence[str] = ()) -> Iterator[Row]:
    """As `rows`, without what the stages print."""
    found = rows(only)
    while True:
        with redirect_stdout(StringIO()):
            row = next(found, None)
        if row is None:
            return
        yield row


def _row(name: str, folder: Path) -> Row:
    if name in REFUSED:
        return {"family": name} | dict.fromkeys(PARTS, "refused") | {"seconds": 0.0, "why": refusal(name, folder)}
    start = time.process_time()
    raw, preset = folder / "raw", folder / "models" / "backbone"
    raw.mkdir()
    save((EVERY[name](), keras_hub.layers.ImageConverter(scale=1 / 127.5, offset=-1.0)), raw)
    dataset = write_dataset(folder, ["cat", "dog"])
    fetch(raw, preset)
    run_stages(folder / "models", dataset, preset, COMMON, VARIATION, "float32", pretrained_only=True)
    model, _ = saved_model.load(folder / "models" / "fine_tuned" / "model.keras")
    return {
        "family": name,
        "gives": gives(build.backbone_of(model)),
        "stages": "yes",
        "explanations": _explained(model),
        "predict": _predicted(dataset[0]),
        "mixed precision": _mixed(preset, folder / "models" / "features", dataset),
        "seconds": round(time.process_time() - start, 1),
    }


def refusal(name: str, folder: Path) -> str:
    """The one line that a preset directory of a refused class gets."""
    (folder / "config.json").write_text(f'{{"class_name": "{name}"}}')
    try:
        check_name(str(folder))
    except UserError as error:
        return str(error)
    raise AssertionError(f"{name} is not refused")


def fetch(raw: Path, preset: Path) -> None:
    """The stage `backbone`."""
    default = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["backbone"]
    params = BackboneParams.model_validate(default | {"preset": str(raw)})
    download = DownloadParams.model_construct(source="folder")
    preset.parent.mkdir()
    beside = [preset.parent / name for name in ("image_size.json", "cautions.json", "comparison.json", "known")]
    backbone(preset.parent / "candidates", preset, *beside, COMMON, download, params)


def gives(backbone: keras_hub.models.Backbone) -> str:
    """What a backbone gives: "map", "vector", "tokens" or "class token", and tokens beside it."""
    rank = len(keras.tree.flatten(backbone.output)[-1].shape)
    if rank != 3:
        return "map" if rank == 4 else "vector"
    try:
        tokens.check(backbone, "cls")
    except UserError:
        return "tokens"
    return "class token"


def _explained(model: keras.Model) -> str:
    images = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    heats = heat_of(model, images, [0, 1])
    assert heats.ndim == 3
    assert np.isfinite(heats).all()
    assert heats.max() <= 1
    return "covering" if blocks(build.backbone_of(model)) else "Grad-CAM"


def _predicted(dataset: Path) -> str:
    table, broken = predict(sorted((dataset / "test").rglob("*.png")), "fine_tuned")
    assert not broken
    assert np.allclose(table[["p_cat", "p_dog"]].sum(axis=1), 1)
    return "yes"


def _mixed(preset: Path, features: Path, dataset: tuple[Path, Path]) -> str:
    """Features in bfloat16 point where those in float32 do."""
    exact = feature_files.read(features, "test")
    from stages.lib.images.decode import stream
    from stages.lib.images.resizing import STRETCH
    from stages.lib.inference.forward import compiled

    extractor = build.feature_extractor(preset, SIZE, "mixed_bfloat16")
    paths = [dataset[0] / name for name in exact.names]
    batches = stream(paths, SIZE, "rgb", len(paths), resizing=STRETCH)
    rounded = np.concatenate([compiled(extractor, len(paths))(batch) for batch in batches])
    expected = np.asarray(exact.vectors)
    cosine = (rounded * expected).sum() / np.linalg.norm(rounded) / np.linalg.norm(expected)
    return "yes" if cosine > 0.99 else f"differs: cosine {cosine:.3f}"
