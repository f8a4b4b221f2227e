"""Saved models and presets of strangers: what is damaged, too large, or would run code is refused in one line."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from stages.lib.core import damage
from stages.lib.core.errors import UserError
from stages.lib.networks import model_files, saved_model, weight_files
from stages.lib.networks.build import convnet
from stages.lib.pretrained import presets

Content = dict[str, bytes]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Content:
    """The members of a saved model."""
    file = tmp_path_factory.mktemp("model") / "model.keras"
    saved_model.save(convnet(32, "rgb", [4], True, 0.0, 3), file, ["a", "b", "c"])
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(file: Path, members: Content, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def refusal(load: Callable[[Path], object], place: Path) -> str:
    with pytest.raises(UserError) as caught:
        load(place)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1000
    assert str(place) in message
    return message


def with_config(members: Content, change: Callable[[dict[str, Any]], None], name: str = "config.json") -> Content:
    config = json.loads(members[name])
    change(config)
    return members | {name: json.dumps(config).encode()}


def weights(write_into: Callable[[h5py.File], None]) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        write_into(file)
    return content.getvalue()


def test_a_saved_model_passes(whole: Content, tmp_path: Path) -> None:
    model, classes = saved_model.load(write(tmp_path / "model.keras", whole))
    assert classes == ["a", "b", "c"]
    assert model.output_shape == (None, 3)


@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.999])
def test_a_truncated_model_is_damaged(whole: Content, share: float, tmp_path: Path) -> None:
    file = write(tmp_path / "model.keras", whole)
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    assert "damaged" in refusal(saved_model.load, file)
    assert "damaged" in refusal(saved_model.resizing_of, file)


@pytest.mark.parametrize("member", ["config.json", "metadata.json", "model.weights.h5"])
@pytest.mark.parametrize("content", [b"", b"garbage", b"[1]", b"{", b"\x89HDF\r\n\x1a\n" + bytes(100), b"[" * 100_000])
def test_garbage_in_a_model_is_one_line(whole: Content, member: str, content: bytes, tmp_path: Path) -> None:
    assert member in refusal(saved_model.load, write(tmp_path / "model.keras", whole | {member: content}))


def test_members_are_those_that_keras_writes(whole: Content, tmp_path: Path) -> None:
    file = tmp_path / "model.keras"
    assert "4 members" in refusal(saved_model.load, write(file, whole | {"assets/../../x": b"x"}))
    assert "expected a saved model" in refusal(saved_model.load, write(file, {"config.json": whole["config.json"]}))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(write(file, whole), "a") as archive:
        archive.writestr("config.json", b"{}")
    assert "expected a saved model" in refusal(saved_model.load, file)


def test_a_model_that_unpacks_absurdly_is_not_read(
    whole: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(damage, "HARMLESS", 1 << 16)
    bomb = write(tmp_path / "model.keras", whole | {"model.weights.h5": bytes(1 << 20)}, zipfile.ZIP_DEFLATED)
    assert "model.weights.h5: expected at most 100 times" in refusal(saved_model.load, bomb)
    monkeypatch.setattr(model_files, "MOST_BYTES_OF_JSON", 100)
    assert "expected at most 0 MB" in refusal(saved_model.load, write(tmp_path / "model.keras", whole))


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        ({"class_name": "Lambda", "module": "keras.layers"}, "class Lambda runs code"),
        ({"class_name": "__lambda__", "config": {"value": "code"}}, "class __lambda__ runs code"),
        ({"class_name": "TFSMLayer", "module": "keras.layers"}, "class TFSMLayer runs code"),
        ({"class_name": "system", "module": "os"}, "'os.system'"),
        ({"class_name": "get_file", "module": "keras.utils"}, "'keras.utils.get_file'"),
        ({"class_name": "get_file", "module": "keras.src.utils.file_utils"}, "file_utils.get_file"),
        ({"class_name": "Mine", "module": "keras.layers", "registered_name": "mine>Mine"}, "'mine>Mine'"),
        ({"class_name": "Dense", "module": ["keras.layers"]}, "expected names of classes"),
        ({"class_name": "eval", "module": "builtins"}, "'builtins.eval'"),
    ],
)
def test_classes_are_those_of_keras(whole: Content, layer: dict[str, Any], told: str, tmp_path: Path) -> None:
    bad = with_config(whole, lambda config: config["config"]["layers"].append({"config": {"x": [layer]}}))
    assert told in refusal(saved_model.load, write(tmp_path / "model.keras", bad))


def test_a_configuration_of_great_depth_is_refused(whole: Content, tmp_path: Path) -> None:
    deep: Any = {}
    for _ in range(300):
        deep = {"config": deep}
    bad = with_config(whole, lambda config: config.update(more=deep))
    assert "at most 100" in refusal(saved_model.load, write(tmp_path / "model.keras", bad))


def outside(file: h5py.File) -> None:
    file.create_dataset("secret", (10,), "u1", external=[("/etc/passwd", 0, 10)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((10,), "u1")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (10,))
    file.create_virtual_dataset("secret", layout)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (outside, "lies in another file"),
        (virtual, "lies in another file"),
        (lambda file: file.update(a=h5py.ExternalLink("/etc/passwd", "x")), "is a link"),
        (lambda file: file.update(a=h5py.SoftLink("/b")), "is a link"),
        (lambda file: file.create_dataset("a", (1 << 40,), "f4", chunks=(1 << 16,)), "expected at most 100 times"),
        (lambda file: file.update(layers=file["/"]), "expected at most 1,000 arrays"),
    ],
    ids=["external", "virtual", "external link", "soft link", "huge", "circle"],
)
def test_weights_lie_in_their_file_and_have_its_size(
    whole: Content, made: Callable[[h5py.File], None], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weight_files, "MOST_ARRAYS", 1000)
    bad = whole | {"model.weights.h5": weights(made)}
    assert told in refusal(saved_model.load, write(tmp_path / "model.keras", bad))


def test_what_a_model_says_of_itself_is_checked(whole: Content, tmp_path: Path) -> None:
    file = tmp_path / "model.keras"
    for change, told in (
        ({"classes": ["a", 2, "c"]}, "classes.1"),
        ({"classes": "abc"}, "classes"),
        ({"precision": "float8"}, "precision"),
        ({"resize": "../x"}, "resize"),
        ({"classes": ["a", "b"]}, "an output for each of its 2 classes"),
    ):
        bad = with_config(whole, lambda config, change=change: config.update(change), "metadata.json")
        assert told in refusal(saved_model.load, write(file, bad))


def test_a_model_of_something_else_is_refused(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)])
    saved_model.save(model, tmp_path / "model.keras", ["a", "b"])
    assert "square images" in refusal(saved_model.load, tmp_path / "model.keras")


def test_other_weights_than_those_of_the_configuration_are_one_line(whole: Content, tmp_path: Path) -> None:
    other = whole | {"model.weights.h5": weights(lambda file: file.create_dataset("x", data=np.zeros(3)))}
    assert "cannot be loaded as a model" in refusal(saved_model.load, write(tmp_path / "model.keras", other))


@pytest.fixture
def own(preset: Path, tmp_path: Path) -> Path:
    """A copy of the preset."""
    return Path(shutil.copytree(preset, tmp_path / "preset"))


def refused(directory: Path) -> str:
    message = refusal(lambda place: presets.load(str(place)), directory)
    assert message.startswith("backbone.preset: ")
    return message


def test_a_preset_passes_and_a_damaged_one_does_not(own: Path) -> None:
    assert presets.load(str(own))
    content = (own / "model.weights.h5").read_bytes()
    for damaged in (b"", b"garbage", content[: len(content) // 2]):
        (own / "model.weights.h5").write_bytes(damaged)
        assert "model.weights.h5: damaged" in refused(own)
    (own / "model.weights.h5").write_bytes(content)
    for name in ("config.json", "image_converter.json"):
        before = (own / name).read_bytes()
        for damaged in (b"", b"{", b"[]", b"[" * 100_000):
            (own / name).write_bytes(damaged)
            assert name in refused(own)
        (own / name).write_bytes(before)


def test_a_link_out_of_a_preset_is_not_followed(own: Path, tmp_path: Path) -> None:
    for name in ("config.json", "model.weights.h5"):
        (own / name).rename(tmp_path / name)
        (own / name).symlink_to(tmp_path / name)
        assert f"{name}: a link out of the preset's directory" in refused(own)
        (own / name).unlink()
        (own / f"inside-{name}").write_bytes((tmp_path / name).read_bytes())
        (own / name).symlink_to(f"inside-{name}")
    assert presets.load(str(own))


def test_an_index_of_weights_names_files_of_the_preset(own: Path) -> None:
    (own / "model.weights.h5").unlink()
    for names in ({}, {"a": ["../x.h5"]}, {"a": "/etc/passwd"}, [], {"a": [3]}):
        (own / "model.weights.json").write_text(json.dumps({"weight_map": names}))
        assert "expected names such as model_00000.weights.h5" in refused(own)
    (own / "model.weights.json").write_text(json.dumps({"weight_map": {"a": ["model_00000.weights.h5"]}}))
    assert "found nothing" in refused(own)


def test_a_preset_names_classes_of_kerashub(own: Path) -> None:
    for change in (
        {"module": "os", "class_name": "system"},
        {"registered_name": "mine>Backbone"},
        {"class_name": "Lambda"},
    ):
        before = (own / "config.json").read_text()
        (own / "config.json").write_text(json.dumps(json.loads(before) | change))
        assert "config.json" in refused(own)
        (own / "config.json").write_text(before)


@pytest.mark.parametrize(
    ("file", "changed", "told"),
    [
        ("config.json", {"config": None}, "config.json: config: "),
        ("config.json", {"config": []}, "config.json: config: "),
        ("image_converter.json", {"config": None}, "image_converter.json: config: "),
        ("image_converter.json", {"config": "none"}, "image_converter.json: config: "),
        ("image_converter.json", {"image_size": ["224", "224"]}, "config.image_size.0: "),
        ("image_converter.json", {"image_size": [224]}, "config.image_size: "),
        ("image_converter.json", {"image_size": [-8, -8]}, "config.image_size.0: "),
        ("image_converter.json", {"image_size": [True, True]}, "config.image_size.0: "),
        ("image_converter.json", {"scale": "0.5"}, "config.scale"),
        ("image_converter.json", {"offset": [0.5, None]}, "config.offset"),
        ("image_converter.json", {"offset": float("nan")}, "config.offset"),
        ("image_converter.json", {"crop_to_aspect_ratio": "no"}, "config.crop_to_aspect_ratio: "),
    ],
)
def test_a_preset_in_which_something_is_of_another_kind_is_one_line(
    own: Path, file: str, changed: dict[str, Any], told: str
) -> None:
    content = json.loads((own / file).read_text())
    changed = changed if "config" in changed else {"config": content["config"] | changed}
    (own / file).write_text(json.dumps(content | changed))
    assert told in refused(own)


def test_an_image_converter_is_one(own: Path) -> None:
    layer = {"module": "keras.layers", "class_name": "ReLU", "config": {}, "registered_name": None}
    (own / "image_converter.json").write_text(json.dumps(layer))
    assert "expected an image converter, found ReLU" in refused(own)
