"""The formats that a model is exported to: the file of each, and how a model becomes it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from smallset.inference.quiet import quiet
from stages.lib.bundle.litert import refusal, to_litert
from stages.lib.core.outputs import remove
from stages.lib.export.asked import FormatName

INPUT, OUTPUT = "images", "probabilities"


@dataclass(frozen=True)
class Format:
    """One of the formats.

    Attributes:
        file: its name, or that of its directory.
        needs: modules without which it is not made; none of them is needed to train.
        extra: of pip, which brings them; None where the pipeline does not name them.
        convert: writes a model (of `with_all_classes`) to a path, with images to calibrate on, float32 (images, height,
            width, channels) in [0, 255]; raises whatever a converter may.
        exact: whether it computes in float32, so that no top class may change.
    """

    file: str
    needs: tuple[str, ...]
    extra: str | None
    convert: Callable[[keras.Model, Path, np.ndarray], None]
    exact: bool = True


def with_all_classes(model: keras.Model) -> keras.Model:
    """The model with a probability for each class: one with a single output, that of the second, gets the first too."""
    if model.output_shape[-1] != 1:
        return model
    second = model.outputs[0]
    return keras.Model(model.inputs, ops.concatenate([1 - second, second], axis=-1), name=model.name)


def convert(name: FormatName, model: keras.Model, path: Path, calibration: np.ndarray) -> str | None:
    """Write a model in a format.

    Args:
        name: of the format.
        model: computes in float32, takes images (batch, height, width, channels), gives a probability for each class.
        path: to write, called as `FORMATS_BY_NAME[name].file`.
        calibration: float32 (images, height, width, channels) in [0, 255], by which int8 chooses its ranges.

    Returns:
        Why the converter cannot do this model, or is not here, in one line; None where it was written.
    """
    about = FORMATS_BY_NAME[name]
    if missing := [module for module in about.needs if find_spec(module) is None]:
        how = f"pip install '.[{about.extra}]' in a clone" if about.extra else f"pip install {missing[0]}"
        return f"not installed: {', '.join(missing)} ({how})"
    try:
        with quiet():
            about.convert(model, path, calibration)
    except Exception as error:  # Converters let through whatever an operator that they do not know ends in.
        remove(path)
        return str(error) if isinstance(error, _CannotError) else refusal(error)
    return None


class _CannotError(Exception):
    """A reason that is a sentence already."""


def _images(model: keras.Model) -> keras.InputSpec:
    return keras.InputSpec(shape=(None, *model.input_shape[1:]), dtype="float32", name=INPUT)


def _litert(model: keras.Model, path: Path, _: np.ndarray, **smaller: Any) -> None:
    if reason := to_litert(model, path, **smaller):
        raise _CannotError(reason)


def _litert_int8(model: keras.Model, path: Path, calibration: np.ndarray) -> None:
    """Weights and activations of 8 bits; images and probabilities stay float32, as does what has no form in int8."""

    def batches() -> Iterator[list[np.ndarray]]:
        for image in calibration:
            yield [image[np.newaxis]]

    _litert(model, path, calibration, optimizations=[tf.lite.Optimize.DEFAULT], representative_dataset=batches)


def _onnx(model: keras.Model, path: Path, _: np.ndarray) -> None:
    import onnx

    from stages.lib.export.onnx_operators import plain_convolutions

    with plain_convolutions():
        model.export(str(path), format="onnx", verbose=False, input_signature=[_images(model)])
    found = onnx.load(str(path))
    unknown = sorted({node.op_type for node in found.graph.node if node.domain not in ("", "ai.onnx", "ai.onnx.ml")})
    if unknown:
        raise _CannotError(f"the converter cannot do this model: ONNX has no operator {', '.join(unknown)}")
    # What was folded away may still stand among the inputs; where something does read it, the check below says so.
    del found.graph.input[1:]
    _rename(found.graph, found.graph.input[0].name, INPUT)
    _rename(found.graph, found.graph.output[0].name, OUTPUT)
    for value in (found.graph.input[0], found.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.checker.check_model(found, full_check=True)
    onnx.save(found, str(path))


def _rename(graph: Any, old: str, new: str) -> None:
    """Give a tensor of an ONNX graph another name wherever it stands."""
    for value in (*graph.input, *graph.output):
        value.name = new if value.name == old else value.name
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]


def _saved_model(model: keras.Model, path: Path, _: np.ndarray) -> None:
    model.export(str(path), format="tf_saved_model", verbose=False, input_signature=[_images(model)])


def _openvino(model: keras.Model, path: Path, _: np.ndarray) -> None:
    path.mkdir()
    try:
        model.export(str(path / "model.xml"), format="openvino", verbose=False, input_signature=[_images(model)])
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


FORMATS_BY_NAME: dict[FormatName, Format] = {
    "onnx": Format("model.onnx", ("onnx", "tf2onnx", "onnxruntime"), "export", _onnx),
    "litert": Format("model.tflite", (), None, _litert),
    "litert_int8": Format("model_int8.tflite", (), None, _litert_int8, exact=False),
    "saved_model": Format("saved_model", (), None, _saved_model),
    "openvino": Format("openvino", ("openvino",), None, _openvino),
}
