"""The backbone: pretrained on drawings, or taken from a preset; errors of one line."""

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from stages.backbone import BackboneParams, PretrainingParams, backbone
from stages.lib.core.data_sections import DownloadParams
from stages.lib.core.errors import UserError
from stages.lib.core.params import CommonParams
from stages.lib.pretrained.recommended import RECOMMENDED
from tests.stages.checksums import checksums

TINY = PretrainingParams(images_per_class=2, epochs=1, learning_rate=0.001)


def of(preset: str, enabled: bool = True) -> BackboneParams:
    return BackboneParams(enabled=enabled, preset=preset, candidates=[], pooling="mean", pretraining=TINY)


def run(directory: Path, common: CommonParams, params: BackboneParams, source: str = "sample") -> int:
    """Run the stage; gives the size of images that it wrote down."""
    size, cautions = directory.with_suffix(".json"), directory.with_suffix(".cautions.json")
    path = "birds" if source == "folder" else "sources"
    download = DownloadParams(
        source=source,
        path=path,
        sample_per_class=1,
        competition="birds",
        url=None,
        sha256=None,  # type: ignore[arg-type]
        max_gigabytes=1,
        max_hours=1,
        links="inside",
    )
    comparison = directory.with_suffix(".comparison.json")
    known = directory.with_suffix(".known")
    backbone(directory.parent / "none", directory, size, cautions, comparison, known, common, download, params)
    assert [file.name for file in known.iterdir()] == ["disabled.txt"]
    assert json.loads(comparison.read_text()) == []
    return json.loads(size.read_text())["image_size"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, common: CommonParams) -> Path:
    directory = tmp_path_factory.mktemp("sample") / "backbone"
    run(directory, common, of("auto"))
    return directory


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy that refuses every connection: no network, wherever the test runs.
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def test_sample_loads_as_a_preset(sample: Path, common: CommonParams) -> None:
    from stages.lib.networks.build import feature_extractor

    images = np.random.default_rng(0).uniform(0, 255, (2, common.image_size, common.image_size, 3))
    vectors = feature_extractor(sample, common.image_size, "float32").predict(images, verbose=0)
    assert vectors.shape[0] == 2
    assert np.isfinite(vectors).all()


def test_sample_keeps_the_scaling_it_was_trained_with(sample: Path) -> None:
    import keras_hub

    converter = keras_hub.layers.ImageConverter.from_preset(str(sample))
    assert (converter.scale, converter.offset) == (1 / 127.5, -1.0)


def test_local_preset_is_taken_over_whole(preset: Path, common: CommonParams, tmp_path: Path) -> None:
    from stages.lib.networks.build import feature_extractor

    run(tmp_path / "taken", common, of(str(preset)))
    images = np.random.default_rng(0).uniform(0, 255, (2, common.image_size, common.image_size, 3))
    expected, taken = (
        feature_extractor(folder, common.image_size, "float32").predict(images, verbose=0)
        for folder in (preset, tmp_path / "taken")
    )
    np.testing.assert_array_equal(taken, expected)


def test_taking_over_a_preset_twice_gives_the_same_files(preset: Path, common: CommonParams, tmp_path: Path) -> None:
    import keras

    for name in ("first", "second"):
        # As in a process of its own, where Keras has named no layer yet.
        keras.utils.clear_session()
        run(tmp_path / name, common, of(str(preset)))
    assert checksums(tmp_path / "first") == checksums(tmp_path / "second")


@pytest.mark.parametrize("missing", ["config.json", "model.weights.h5", "image_converter.json"])
def test_incomplete_preset_is_refused(missing: str, preset: Path, common: CommonParams, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(preset, broken)
    (broken / missing).unlink()
    with pytest.raises(UserError, match=missing):
        run(tmp_path / "out", common, of(str(broken)))
    assert not (tmp_path / "out").exists()


def test_damaged_weights_are_refused(preset: Path, common: CommonParams, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(preset, broken)
    (broken / "model.weights.h5").write_bytes(b"no weights")
    assert "damaged, or no weights" in refusal(str(broken), common, tmp_path)


def test_unknown_name_says_what_is_known(common: CommonParams, tmp_path: Path) -> None:
    assert "xception_41_imagenet" in refusal("no_such_backbone", common, tmp_path)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("preset", "site"),
    [("kaggle://nobody/nothing/keras/none", "kaggle.com"), ("hf://nobody/nothing", "huggingface.co")],
)
def test_unreachable_preset_says_that_a_directory_works_offline(
    preset: str, site: str, common: CommonParams, tmp_path: Path
) -> None:
    message = refusal(preset, common, tmp_path)
    assert f"{site} cannot be reached" in message
    assert "local preset directory works offline" in message


@pytest.mark.parametrize(
    ("preset", "variable"), [("kaggle://a/b/keras/c", "KAGGLE_USERNAME"), ("hf://a/b", "HF_TOKEN")]
)
def test_forbidden_preset_names_the_credentials(
    preset: str, variable: str, common: CommonParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub
    import keras_hub
    import requests

    def forbidden(*args: object, **options: object) -> None:
        response = requests.Response()
        response.status_code = 403
        raise requests.HTTPError("403 Client Error", response=response)

    monkeypatch.setattr(keras_hub.models.Backbone, "from_preset", forbidden)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", forbidden)
    assert variable in refusal(preset, common, tmp_path)


@pytest.mark.usefixtures("no_network")
def test_auto_says_what_it_takes_and_where_that_cannot_be_fetched_what_else_there_is(
    common: CommonParams, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError) as caught:
        run(tmp_path / "out", common, of("auto"), "folder")
    message = str(caught.value)
    assert f"backbone.preset: auto takes {RECOMMENDED[0]}, since download.source is folder" in capsys.readouterr().out
    assert message.startswith("backbone.preset: kaggle.com cannot be reached")
    assert "auto took it: set backbone.preset to" in message
    assert "\n" not in message


def test_turned_off_writes_only_the_reason(common: CommonParams, tmp_path: Path) -> None:
    run(tmp_path / "off", common, of("sample", enabled=False))
    assert [file.name for file in (tmp_path / "off").iterdir()] == ["disabled.txt"]


def refusal(preset: str, common: CommonParams, tmp_path: Path) -> str:
    with pytest.raises(UserError) as caught:
        run(tmp_path / "out", common, of(preset))
    message = str(caught.value)
    assert "\n" not in message
    assert "backbone.preset" in message
    assert preset in message
    assert not (tmp_path / "out").exists()
    return message


@pytest.mark.parametrize(("asked", "size"), [(48, 48), ("preset", 32)])
def test_the_size_is_what_is_asked_for_or_the_presets_own(asked, size, preset, common, tmp_path) -> None:
    assert run(tmp_path / "taken", common.model_copy(update={"image_size": asked}), of(str(preset))) == size


def test_a_preset_that_does_not_say_its_size_is_one_clear_error(preset, common, tmp_path) -> None:
    import keras_hub

    silent = tmp_path / "silent"
    shutil.copytree(preset, silent)
    keras_hub.layers.ImageConverter(scale=1 / 127.5, offset=-1.0).save_to_preset(str(silent))
    with pytest.raises(UserError, match=r"^common\.image_size: expected pixels, since the preset does not say its own"):
        run(tmp_path / "out", common.model_copy(update={"image_size": "preset"}), of(str(silent)))
    assert run(tmp_path / "out", common, of(str(silent))) == common.image_size


def test_where_there_is_no_preset_pixels_are_asked_for(common, tmp_path) -> None:
    with pytest.raises(UserError, match=r"^common\.image_size: expected pixels with backbone"):
        run(tmp_path / "out", common.model_copy(update={"image_size": "preset"}), of("sample", enabled=False))
    assert not (tmp_path / "out").exists()


def saved(network, folder: Path) -> Path:
    """A preset directory of a network."""
    import keras_hub

    network.save_to_preset(str(folder))
    keras_hub.layers.ImageConverter(scale=1.0).save_to_preset(str(folder))
    return folder


@pytest.mark.parametrize(("asked", "size"), [(32, 32), ("preset", 32), (48, 48)])
def test_a_backbone_of_one_size_is_built_for_the_size_that_is_asked_for(asked, size, common, tmp_path) -> None:
    from stages.lib.networks.build import feature_extractor
    from tests.stages.token_families import vit

    fixed, taken = saved(vit(), tmp_path / "fixed"), tmp_path / "out"
    assert run(taken, common.model_copy(update={"image_size": asked}), of(str(fixed))) == size
    assert feature_extractor(taken, size, "float32").output_shape == (None, 16)


@pytest.mark.parametrize(
    ("family", "asked", "pooling", "message"),
    [
        ("vit", 44, "mean", r"common\.image_size: expected a multiple of 8 .* such as 40 or 48\. Received: 44"),
        ("swin", 40, "mean", r"common\.image_size: expected a multiple of 16 .* such as 32 or 48\. Received: 40"),
        ("swin", 32, "cls", r"backbone\.pooling: expected mean: SwinTransformerBackbone has no class token\. .* 'cls'"),
    ],
)
def test_what_a_backbone_cannot_do_is_one_clear_error(family, asked, pooling, message, common, tmp_path) -> None:
    from tests.stages.token_families import TOKEN_FAMILIES

    fixed = saved(TOKEN_FAMILIES[family](), tmp_path / "fixed")
    params = of(str(fixed)).model_copy(update={"pooling": pooling})
    with pytest.raises(UserError, match=f"^{message}$"):
        run(tmp_path / "out", common.model_copy(update={"image_size": asked}), params)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("source", "image_size", "caution"),
    [
        ("folder", 32, None),
        ("sample", 16, None),
        ("folder", 15, "made for images of 32 x 32 pixels and gets 15 x 15"),
    ],
)
def test_what_does_not_suit_the_images_is_said(source, image_size, caution, preset, common, tmp_path, capsys) -> None:
    run(tmp_path / "taken", common.model_copy(update={"image_size": image_size}), of(str(preset)), source)
    printed = capsys.readouterr().out
    assert ("CAUTION" in printed) == (caution is not None)
    assert caution is None or caution in printed


def test_drawings_below_photographs_are_said_and_have_a_size_of_their_own(common, tmp_path, capsys) -> None:
    assert run(tmp_path / "drawn", common.model_copy(update={"image_size": "preset"}), of("sample"), "folder") == 64
    assert "CAUTION: The backbone was pretrained on drawn cartoons" in capsys.readouterr().out
