"""How images become squares: as asked for or as the preset does, and the same wherever a model sees them."""

import json
import re
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from stages.evaluate import EvaluateParams, evaluate
from stages.lib.arrays import feature_files
from stages.lib.core.errors import UserError
from stages.lib.core.params import CommonParams
from stages.lib.images.decode import decode, resized
from stages.lib.images.resizing import STRETCH, Resizing, asked
from stages.lib.inference import predictions
from stages.lib.networks import saved_model
from stages.lib.networks.build import convnet
from stages.predict import predict
from tests.stages.conftest import write_dataset
from tests.stages.model_runs import run_stages

ROOT = Path(__file__).resolve().parents[2]
MODES = ("stretch", "crop", "pad")
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3")


def asking(resize: str, interpolation: str = "bilinear") -> CommonParams:
    values = {"seed": 3, "deterministic": False, "image_size": 32, "batch_size": 8}
    return CommonParams.model_validate(values | {"resize": resize, "interpolation": interpolation})


def thirds() -> Image.Image:
    """Three squares beside each other: red, green, blue."""
    colors = np.array([[(255, 0, 0), (0, 255, 0), (0, 0, 255)]], np.uint8)
    return Image.fromarray(colors.repeat(40, axis=0).repeat(40, axis=1))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_each_mode_shows_what_it_should(interpolation: str, turned: bool) -> None:
    image = thirds().transpose(Image.Transpose.TRANSPOSE) if turned else thirds()
    found = {mode: np.asarray(resized(image, 12, Resizing(mode, interpolation))) for mode in MODES}
    found = {mode: pixels.swapaxes(0, 1) if turned else pixels for mode, pixels in found.items()}
    assert {pixels.shape for pixels in found.values()} == {(12, 12, 3)}
    assert found["stretch"][6, [1, 6, 10]].argmax(axis=1).tolist() == [0, 1, 2]
    assert (found["crop"] == (0, 255, 0)).all()
    assert (found["pad"][[0, 3, 8, 11]] == 0).all()
    assert found["pad"][5, [1, 6, 10]].argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_a_smaller_image_is_antialiased(mode: str, interpolation: str) -> None:
    board = Image.fromarray((255 * (np.indices((96, 96)).sum(axis=0) % 2)).astype(np.uint8))
    found = np.asarray(resized(board, 12, Resizing(mode, interpolation))).astype(int)
    assert np.abs(found - 127.5).max() < 12


def test_nearest_enlarges_by_whole_pixels() -> None:
    image = Image.fromarray(np.array([[0, 90], [180, 255]], np.uint8))
    wanted = np.asarray(image).repeat(4, axis=0).repeat(4, axis=1)
    assert np.array_equal(np.asarray(resized(image, 8, Resizing("stretch", "nearest"))), wanted)


@pytest.mark.parametrize("size", [(90, 60), (60, 91), (64, 64), (400, 3), (1, 50)])
@pytest.mark.parametrize("mode", MODES)
def test_modes_are_those_of_keras(mode: str, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    options = {"crop_to_aspect_ratio": mode == "crop", "pad_to_aspect_ratio": mode == "pad", "antialias": True}
    layer = keras.layers.Resizing(32, 32, interpolation="bilinear", **options)
    found = np.asarray(resized(image, 32, Resizing(mode, "bilinear")), np.float32)
    # Keras pads before it resizes: the borders of the image lie up to half a pixel elsewhere, and blend with black.
    if min(size) >= 32 and (mode != "pad" or size == (64, 64)):
        assert np.abs(found - layer(np.asarray(image, np.float32)).numpy()).mean() < 2
    assert found.shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("config", "own"),
    [
        ({"interpolation": "bicubic", "crop_to_aspect_ratio": False}, ("stretch", "bicubic")),
        ({"interpolation": "bilinear", "crop_to_aspect_ratio": True}, ("crop", "bilinear")),
        ({"crop_to_aspect_ratio": False, "pad_to_aspect_ratio": True, "interpolation": "nearest"}, ("pad", "nearest")),
        ({}, ("crop", "bilinear")),
    ],
)
def test_what_is_left_to_the_preset(config: dict[str, object], own: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "image_converter.json").write_text(json.dumps({"config": config}))
    assert asked(asking("preset", "preset"), tmp_path) == Resizing(*own)
    assert asked(asking("stretch", "preset"), tmp_path) == Resizing("stretch", own[1])
    assert asked(asking("preset", "lanczos3"), tmp_path) == Resizing(own[0], "lanczos3")
    assert asked(asking("pad", "bicubic"), tmp_path) == Resizing("pad", "bicubic")
    assert asked(asking("preset", "preset")) == STRETCH
    assert asked(asking("crop", "preset")) == Resizing("crop", "bilinear")


def test_a_preset_that_resizes_in_another_way_is_refused_unless_told_how(tmp_path: Path) -> None:
    (tmp_path / "image_converter.json").write_text(json.dumps({"config": {"interpolation": "lanczos5"}}))
    with pytest.raises(UserError, match=r"common\.interpolation: expected one of nearest, .* Received: 'lanczos5'"):
        asked(asking("stretch", "preset"), tmp_path)
    assert asked(asking("stretch", "bicubic"), tmp_path).interpolation == "bicubic"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Images twice as wide as high, whose middle differs from their sides."""
    folder = tmp_path_factory.mktemp("wide")
    images, manifest = write_dataset(folder, ["cat", "dog"])
    for file in images.rglob("*.png"):
        square = Image.open(file).convert("RGB").resize((48, 48))
        wide = Image.effect_noise((96, 48), 90).convert("RGB")
        wide.paste(square, (24, 0))
        wide.save(file)
    return images, manifest


NAMES = ("scratch", "feature_extraction", "feature_extraction_augmented", "fine_tuned")


@pytest.fixture(scope="module")
def bicubic(preset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The preset, had it been made for images that are resized in another way than is the default."""
    folder = shutil.copytree(preset, tmp_path_factory.mktemp("bicubic") / "tiny")
    converter = json.loads((folder / "image_converter.json").read_text())
    converter["config"]["interpolation"] = "bicubic"
    (folder / "image_converter.json").write_text(json.dumps(converter))
    return folder


@pytest.fixture(scope="module", params=[("crop", "preset"), pytest.param(("pad", "bilinear"), marks=pytest.mark.slow)])
def chain(request, tmp_path_factory, dataset, bicubic, variation) -> tuple[Path, dict[str, Resizing]]:
    """The folder of a run of all model stages, and how each was to resize: only `scratch` knows no preset."""
    common = asking(*request.param)
    folder = tmp_path_factory.mktemp(request.param[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run_stages(folder / "models", dataset, bicubic, common, variation, "float32")
    own = Resizing(common.resize, "bicubic" if common.interpolation == "preset" else common.interpolation)
    return folder, dict.fromkeys(NAMES, own) | {"scratch": Resizing(common.resize, "bilinear")}


def test_models_and_features_remember_how_images_were_resized(chain: tuple[Path, dict[str, Resizing]]) -> None:
    folder, wanted = chain
    assert feature_files.read_resizing(folder / "models" / "features") == wanted["feature_extraction"]
    for name, resizing in wanted.items():
        assert saved_model.resizing_of(folder / "models" / name / "model.keras") == resizing
        summary = json.loads((folder / "models" / name / "summary.json").read_text())
        assert (summary["resize"], summary["interpolation"]) == (resizing.mode, resizing.interpolation)


def test_features_are_those_of_the_resized_images(chain, dataset, preset) -> None:
    from stages.lib.networks.build import feature_extractor

    folder, resizing = chain[0], chain[1]["feature_extraction"]
    found = feature_files.read(folder / "models" / "features", "test")
    images = np.stack([decode(dataset[0] / name, 32, "rgb", resizing) for name in found.names])
    wanted = feature_extractor(preset, 32, "float32")(images.astype(np.float32)).numpy()
    np.testing.assert_allclose(np.asarray(found.vectors[:]), wanted, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_evaluation_and_prediction_read_as_training_did(name, chain, dataset, monkeypatch) -> None:
    folder, resizing = chain[0], chain[1][name]
    monkeypatch.chdir(folder)
    model = Path("models") / name
    network, _ = saved_model.load(model / "model.keras")
    files = sorted((dataset[0] / "test").rglob("*.png"))
    images = np.stack([decode(file, 32, "rgb", resizing) for file in files])
    probabilities = network(images.astype(np.float32)).numpy()[:, 0]
    # What params.yaml asks for by now is another matter.
    changed = asking("stretch" if resizing.mode != "stretch" else "crop")
    evaluate(
        *dataset,
        model,
        Path("evaluation") / name,
        Path("metrics.json"),
        changed,
        EvaluateParams(batch_size=5, explained=1),
    )
    evaluated = predictions.read(Path("evaluation") / name / "predictions.csv")
    np.testing.assert_allclose(evaluated["p_dog"], probabilities, atol=1e-4)
    table, broken = predict(files, name)
    assert not broken
    np.testing.assert_allclose(table["p_dog"], probabilities, atol=1e-4)
    others = np.stack([decode(file, 32, "rgb", Resizing(changed.resize, "bilinear")) for file in files])
    assert np.abs(network(others.astype(np.float32)).numpy()[:, 0] - probabilities).max() > 1e-3


def test_a_model_that_says_nothing_is_older_and_means_stretch(tmp_path: Path) -> None:
    new, old = tmp_path / "new.keras", tmp_path / "old.keras"
    saved_model.save(convnet(32, "rgb", [4], True, 0.0, 2), new, ["a", "b"], Resizing("crop", "bicubic"))
    with zipfile.ZipFile(new) as read, zipfile.ZipFile(old, "w") as write:
        for name in read.namelist():
            content = read.read(name)
            if name == "metadata.json":
                about = json.loads(content)
                content = json.dumps({key: about[key] for key in about.keys() - {"resize", "interpolation"}}).encode()
            write.writestr(name, content)
    assert saved_model.resizing_of(new) == Resizing("crop", "bicubic")
    assert saved_model.resizing_of(old) == STRETCH


@pytest.mark.parametrize("place", [0, 1])
def test_the_documented_ways_to_read_an_image_give_what_predict_gives(place, chain, dataset, monkeypatch) -> None:
    folder, _ = chain
    monkeypatch.chdir(folder)
    text = (ROOT / "docs" / "reading_images.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[place]
    wide = Image.open(sorted((dataset[0] / "test").rglob("*.png"))[0]).resize((960, 480), Image.Resampling.BICUBIC)
    exif = wide.getexif()
    exif[0x0112] = 6
    wide.transpose(Image.Transpose.ROTATE_90).save("image.jpg", exif=exif)
    names: dict[str, object] = {}
    exec(code.replace("models/classifier", "models/fine_tuned"), names)
    table, _ = predict([Path("image.jpg")], "fine_tuned")
    assert names["probabilities"][0, 0] == pytest.approx(table["p_dog"][0], abs=1e-4)
