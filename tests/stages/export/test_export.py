"""`smallset export`: files of several formats give what Keras gives, lie as servers want them, or nothing is left."""

import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from safety.checksums import checksum
from smallset.inference import bundle
from smallset.inference.decisions import Decisions
from smallset.inference.decisions import read as read_decisions
from stages import export as command
from stages.lib.core.errors import UserError
from stages.lib.evaluation.intervals import Interval
from stages.lib.export import formats, trying, verifying
from stages.lib.export.runtimes import cannot_run, load
from stages.lib.images.resizing import STRETCH
from stages.lib.networks import build, mirroring, saved_model
from tests.stages.conftest import write_dataset

EXACT = ("onnx", "litert", "saved_model")
CLASSES = ["cat", "dog"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with images and no model yet, in the working directory."""
    (tmp_path / "data").mkdir()
    write_dataset(tmp_path / "data", CLASSES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def saved(model: keras.Model, classes: list[str] = CLASSES, precision: str = "float32", **more: object) -> Path:
    folder = Path("models/scratch")
    folder.mkdir(parents=True)
    saved_model.save(model, folder / "model.keras", classes, STRETCH)
    (folder / "summary.json").write_text(json.dumps({"stage": "scratch", "precision": precision, **more}))
    return folder


def options(form: str = "all", layout: str = "plain") -> Namespace:
    return Namespace(format=[form], layout=layout, margin=0.5, faster=0.01)


def convnet(color: str = "rgb", classes: int = 2) -> keras.Model:
    return build.convnet(32, color, [4], True, 0.0, classes)


def test_every_format_gives_what_keras_gives_and_says_how_well(project):
    folder = saved(convnet("grey"))
    found = command.export(folder, Path("out"), options())
    rows = {row["format"]: row for row in found["formats"]}
    assert set(rows) == {"keras", *EXACT, "litert_int8"}
    assert found["left_out"] == {"openvino": "not installed: openvino (pip install openvino)"}
    assert all(rows[name]["changed"] == 0 and rows[name]["largest_difference"] < 1e-5 for name in EXACT)
    assert all(rows[name]["milliseconds_8"] > 0 and rows[name]["bytes"] > 0 for name in EXACT)
    assert rows["litert_int8"]["usable"] is (rows["litert_int8"]["why_not"] is None)
    assert rows["litert_int8"]["images"] == found["test_images"] == 12
    assert json.loads(Path("out/export.json").read_text()) == found
    assert Path("out/labels.txt").read_text() == "cat\ndog\n"
    assert {file.name for file in Path("out").iterdir()} == {
        *("export.json", "labels.txt", "model.onnx", "model.tflite", "model_int8.tflite", "saved_model")
    }


def test_onnx_has_clear_names_a_batch_of_any_size_and_a_column_for_each_class(project):
    import onnxruntime

    command.export(saved(convnet()), Path("out"), options("onnx"))
    session = onnxruntime.InferenceSession("out/model.onnx")
    (given,), (taken,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape, taken.name, taken.shape) == (
        *("images", ["batch", 32, 32, 3]),
        *("probabilities", ["batch", 2]),
    )
    for count in (1, 5):
        assert session.run(None, {"images": np.zeros((count, 32, 32, 3), np.float32)})[0].shape == (count, 2)


class OneHead(keras.layers.Layer):
    """Attention with one head and as many places as there are, as MiT has it."""

    def build(self, shape):
        self.dense = keras.layers.Dense(8)
        self.dense.build((None, None, 8))

    def call(self, maps):
        count = keras.ops.shape(maps)[0]
        places = self.dense(keras.ops.reshape(maps, [count, -1, 8]))
        heads = keras.ops.transpose(keras.ops.reshape(places, [count, -1, 1, 8]), [0, 2, 1, 3])
        weights = keras.ops.softmax(heads @ keras.ops.transpose(heads, [0, 1, 3, 2]))
        return keras.ops.reshape(keras.ops.transpose(weights @ heads, [0, 2, 1, 3]), [count, *maps.shape[1:]])


def test_onnx_has_gelu_grouped_convolutions_and_attention_in_terms_of_its_own_operators(tmp_path):
    import onnx

    keras.utils.set_random_seed(1)
    images = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(8, 3)(images / 255)
    x = OneHead()(keras.layers.Conv2D(8, 3, groups=4, activation="gelu")(x))
    model = keras.Model(images, keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(x)))
    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3)).astype(np.float32)
    assert formats.convert("onnx", model, tmp_path / "model.onnx", pixels) is None
    assert cannot_run("onnx", tmp_path / "model.onnx", pixels) is None
    written = onnx.load(str(tmp_path / "model.onnx")).graph
    assert [value.name for value in written.input] == ["images"]
    assert {node.domain for node in written.node} == {""}
    found = load("onnx", tmp_path / "model.onnx")(pixels)
    np.testing.assert_allclose(found, model(pixels, training=False).numpy(), atol=1e-6)


@pytest.mark.slow
def test_a_mirrored_model_in_mixed_precision_is_exported_in_float32(project, preset):
    model = build.transfer_model(preset, build.head_layers(8, "relu", 0.25, 2), 32, "mixed_bfloat16")
    found = command.export(saved(mirroring.mirrored(model), precision="mixed_bfloat16"), Path("out"), options("litert"))
    rows = {row["format"]: row for row in found["formats"]}
    assert set(rows) == {"keras", "keras_as_trained", "litert"}
    assert rows["litert"]["largest_difference"] < 1e-5 < rows["keras_as_trained"]["largest_difference"]


def test_another_top_class_fails_and_leaves_nothing(project, monkeypatch):
    other, real = formats.with_all_classes(convnet()), formats._litert
    swapped = keras.Model(other.inputs, keras.ops.flip(other.outputs[0], axis=-1))
    wrong = formats.Format("model.tflite", (), None, lambda _, path, images: real(swapped, path, images))
    monkeypatch.setitem(formats.FORMATS_BY_NAME, "litert", wrong)
    with pytest.raises(UserError, match=r"^litert: expected the top classes of Keras, found another one on "):
        command.export(saved(convnet()), Path("out"), options("litert"))
    assert not Path("out").exists()
    assert not list(project.glob(".out*"))


def test_other_probabilities_are_refused_where_the_top_classes_are_the_same():
    row = {"format": "onnx", "changed": 0, "images": 12, "largest_difference": 0.02}
    with pytest.raises(UserError, match=r"found them, and other probabilities on some of 12 test images \(largest"):
        trying.require_the_same([row])
    trying.require_the_same([row | {"largest_difference": 1e-5}, row | {"format": "litert_int8"}])


def test_a_converter_that_cannot_do_a_model_says_so_and_the_others_go_on(project):
    images = keras.Input((32, 32, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.ops.erfinv(images / 300))
    model = keras.Model(images, keras.layers.Dense(2, activation="softmax")(x))
    found = command.export(saved(model), Path("out"), options())
    assert [row["format"] for row in found["formats"]] == ["keras", "saved_model"]
    assert found["left_out"]["litert"].startswith("the converter cannot do this model: ")
    assert found["left_out"]["litert_int8"].startswith("the converter cannot do this model: ")
    assert not [reason for reason in found["left_out"].values() if "\n" in reason]
    with pytest.raises(UserError, match="litert: the converter cannot do this model: "):
        command.export(Path("models/scratch"), Path("again"), options("litert"))


def test_a_file_that_does_not_run_is_left_out_in_one_line(project, monkeypatch):
    broken = formats.Format("model.onnx", (), None, lambda _, path, __: path.write_bytes(b"no graph"))
    monkeypatch.setitem(formats.FORMATS_BY_NAME, "onnx", broken)
    with pytest.raises(UserError, match=r"^onnx: the file that the converter wrote does not run: [^\n]+$"):
        command.export(saved(convnet()), Path("out"), options("onnx"))
    assert not Path("out").exists()


@pytest.mark.parametrize("layout", ["triton", "tf_serving"])
def test_a_model_repository_lies_as_its_server_wants_it(layout, project):
    command.export(saved(convnet()), Path("out"), options(layout=layout))
    (home,) = [file for file in Path("out").iterdir() if file.is_dir()]
    assert home.name == "scratch"
    if layout == "tf_serving":
        images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.float32)
        assert load("saved_model", home / "1")(images).shape == (3, 2)
        return
    config = parsed((home / "config.pbtxt").read_text())
    assert (config.name, config.backend, config.max_batch_size > 1) == ("scratch", "onnxruntime", True)
    assert (config.input[0].name, list(config.input[0].dims)) == ("images", [32, 32, 3])
    assert (config.output[0].name, list(config.output[0].dims)) == ("probabilities", [2])
    assert (home / config.output[0].label_filename).read_text() == "cat\ndog\n"
    assert (home / "1" / "model.onnx").is_file()


def parsed(text: str):
    """A configuration read by protocol buffers, with the fields and types that Triton's ModelConfig has for them."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

    file = descriptor_pb2.FileDescriptorProto(name="model.proto", package="inference", syntax="proto3")
    types = file.enum_type.add(name="DataType")
    for number, name in enumerate(("TYPE_INVALID", "TYPE_FP32")):
        types.value.add(name=name, number=number)
    kinds = {"string": 9, "int32": 5, "int64": 3, "DataType": 14}
    tensors = {"name": "string", "data_type": "DataType", "dims": "*int64", "label_filename": "string"}
    config = {"name": "string", "max_batch_size": "int32", "input": "*Tensor", "output": "*Tensor", "backend": "string"}
    messages = {"Tensor": tensors, "Batching": {}, "Config": config | {"dynamic_batching": "Batching"}}
    for message, fields in messages.items():
        made = file.message_type.add(name=message)
        for number, (name, kind) in enumerate(fields.items(), 1):
            plain = kind.lstrip("*")
            field = made.field.add(
                name=name, number=number, label=3 if kind[0] == "*" else 1, type=kinds.get(plain, 11)
            )
            if plain[0].isupper():
                field.type_name = f".inference.{plain}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return text_format.Parse(text, message_factory.GetMessageClass(pool.FindMessageTypeByName("inference.Config"))())


def test_what_cannot_be_is_refused_before_any_work(project):
    folder = saved(convnet(classes=3), ["a", "b", "c"])
    with pytest.raises(UserError, match=r"expected --format onnx, which is what it serves. Received: litert"):
        command.export(folder, Path("out"), options("litert", "triton"))
    with pytest.raises(UserError, match=r"expected the classes of the images: cat, dog. Received: a, b, c"):
        command.export(folder, Path("out"), options())
    with pytest.raises(UserError, match=r"--output data: expected a folder that is new or empty"):
        command.export(folder, Path("data"), options())
    with pytest.raises(UserError, match=r"models/none/model.keras: expected it there, found nothing"):
        command.export(Path("models/none"), Path("out"), options())


def test_a_model_that_may_know_the_test_images_is_said_to(project):
    found = command.export(saved(convnet(), refit={"on": "all"}), Path("out"), options("saved_model"))
    assert "may know the test images" in found["cautions"][0]


def test_files_that_leave_the_rule_of_the_bundle_out_say_so(project):
    folder = saved(convnet())
    rule = Decisions("recall", of_class=1, threshold=0.2)
    about = bundle.Description(
        *(("cat", "dog"), 32, "rgb", "stretch", "bilinear", "scratch", "float32"),
        data=checksum(Path("data/manifest.csv")),
        model_sha256=None,
        reason="not converted",
    )
    limits, never = Decisions(unsure_below=0.8), "never say unsure or unknown"
    both = replace(rule, unsure_below=0.8)
    for decisions, told in (
        (rule, ["decisions.criterion: recall"]),
        (limits, [never]),
        (both, ["decisions.criterion: recall", never]),
        (Decisions(), []),
        (None, []),
    ):
        bundle.write(replace(about, decisions=decisions), folder)
        described = bundle.read(folder)
        found = command._cautions(described, {})
        assert [part in line for part, line in zip(told, found, strict=True)] == [True] * len(told)
        kept = command._decisions(described)
        assert (kept and read_decisions(json.loads(json.dumps(kept)), 2)) == decisions
    assert command._decisions(None) is None


def beside(difference: float, p_value: float, bound: float) -> verifying.Beside:
    one = Interval(difference, difference - 0.1, difference + 0.1)
    return verifying.Beside(500, 1, 0.1, one, one, p_value, bound)


@pytest.mark.parametrize(
    ("int8", "times", "said"),
    [
        (beside(0, 1, -0.002), {1: 2.0, 8: 9.0}, None),
        (beside(-0.02, 0.01, -0.03), {1: 2.0, 8: 9.0}, "less accurate than Keras by 2.00 points"),
        (beside(0, 1, -0.03), {1: 2.0, 8: 9.0}, "500 test images do not show that it loses less than 1 points"),
        (beside(0, 1, -0.002), {1: 3.5, 8: 9.0}, "1.14 times as fast as float32 at batch 1 here, and 1.5 times"),
    ],
)
def test_int8_is_usable_where_it_is_shown_to_lose_nothing_and_to_be_faster(int8, times, said):
    found = verifying.not_usable(int8, times, {1: 4.0, 8: 20.0}, 0.01, 1.5)
    assert found == said or (said is not None and found is not None and found.startswith(said))


def test_a_row_that_is_no_number_has_changed():
    reference = np.array([[0.9, 0.1], [0.2, 0.8]])
    found = verifying.beside(np.array([[np.nan, np.nan], [0.2, 0.8]]), reference, np.array([0, 1]))
    assert (found.changed, found.largest_difference) == (1, 1.0)


def test_a_converter_that_is_not_here_says_how_to_get_it_and_from_no_stranger(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda _: None)
    reason = formats.convert("onnx", convnet(), tmp_path / "model.onnx", np.zeros((1, 32, 32, 3), np.float32))
    # `pip install smallset` would ask a registry for whatever is called so there.
    assert reason == "not installed: onnx, tf2onnx, onnxruntime (pip install '.[export]' in a clone)"
