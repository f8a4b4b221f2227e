"""LiteRT beside ONNX Runtime on the same Keras model: time of an image at several batches, and of a start.

    pip install onnxruntime==1.32.0 onnx==1.23.2 tf2onnx==1.17.0
    python -m benchmarks.runtimes models/classifier/model.keras

Both get a thread a processor and take turns, so that what else the machine does meets both. Processor time is that of
all threads.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks import tables
from benchmarks.options import Json
from smallset.inference.runtime import Runtime, processors
from stages.lib.networks.startup import start_tensorflow

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
BATCHES = {1: 40, 8: 12, 64: 4}  # turns of each
Run = Callable[[np.ndarray], np.ndarray]


def runs_of(file: Path, folder: Path) -> tuple[dict[str, Run], tuple[int, ...]]:
    """A function of each runtime, and the shape of an image."""
    import onnxruntime

    start_tensorflow()
    import keras

    from stages.lib.bundle.litert import to_litert
    from stages.lib.networks.saved_model import load

    model, _ = load(file)
    if (reason := to_litert(model, folder / "model.tflite")) is not None:
        raise SystemExit(reason)
    images = keras.InputSpec(shape=(None, *model.input_shape[1:]), dtype="float32", name="images")
    model.export(str(folder / "model.onnx"), format="onnx", verbose=False, input_signature=[images])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = processors()
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    litert = Runtime(folder / "model.tflite")
    runs = {"LiteRT": litert.run, "ONNX Runtime": lambda batch: session.run(None, {name: batch})[0]}
    return runs, model.input_shape[1:]


def measure(runs: dict[str, Run], shape: tuple[int, ...]) -> list[dict[str, Any]]:
    """Milliseconds an image, of the clock and of the processors: medians over the turns, and the lowest."""
    rows = []
    for batch, turns in BATCHES.items():
        images = np.random.default_rng(0).uniform(0, 255, (batch, *shape)).astype(np.float32)
        outputs = [run(images) for run in runs.values()]
        seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
        for _ in range(turns):
            for name, run in runs.items():
                clock, processors = time.perf_counter(), time.process_time()
                run(images)
                seconds[name].append((time.perf_counter() - clock, time.process_time() - processors))
        for name, pairs in seconds.items():
            clock_each, processors_each = (
                [1000 * one / batch for one in column] for column in zip(*pairs, strict=True)
            )
            rows.append(
                {
                    "runtime": name,
                    "batch": batch,
                    "clock": median(clock_each),
                    "clock_lowest": min(clock_each),
                    "processors": median(processors_each),
                    "processors_lowest": min(processors_each),
                    "difference": float(np.abs(outputs[0] - outputs[1]).max()),
                }
            )
    return rows


@app.command(help=__doc__)
def main(
    model: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .keras file.")], as_json: Json = False
) -> None:
    with TemporaryDirectory() as folder:
        rows = measure(*runs_of(model, Path(folder)))
    if as_json:
        print(json.dumps({"rows": rows}, indent=2))
        return
    columns = ["runtime", "batch", "clock", "clock_lowest", "processors", "processors_lowest"]
    cells = [[str(row[key]) if key in ("runtime", "batch") else f"{row[key]:.2f}" for key in columns] for row in rows]
    tables.show([name.replace("_", ", ") for name in columns], cells, "milliseconds an image")


if __name__ == "__main__":
    app()
