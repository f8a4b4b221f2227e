"""What mirror averaging costs when a model predicts: milliseconds an image with and without, in turns.

    python -m benchmarks.mirroring models/backbone
    python -m benchmarks.mirroring models/backbone --batch 1

models/backbone is a preset directory. The forward pass of whole models, compiled, on noise; no image is decoded.
"times" is with to without, turn by turn.
"""

import json
import time
from pathlib import Path

import typer

from benchmarks import tables
from benchmarks.options import Batch, Json, PresetFolder, Size, Turns

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def seconds(preset: Path, size: int, batch: int, turns: int) -> dict[str, list[float]]:
    """Seconds of the pass of one batch, a turn each, without ("image") and with mirror averaging ("both")."""
    import numpy as np

    from stages.lib.networks import build
    from stages.lib.networks.fusion import faithful
    from stages.lib.networks.mirroring import mirrored

    model = build.transfer_model(preset, [build.classifier(2)], size, "float32")
    images = np.random.default_rng(0).integers(0, 256, (batch, size, size, 3)).astype(np.uint8)
    passes = {"image": faithful(model, images)[1], "both": faithful(mirrored(model), images)[1]}
    found: dict[str, list[float]] = {name: [] for name in passes}
    for turn in range(turns + 1):
        for name, forward in passes.items():
            start = time.perf_counter()
            forward(images).numpy()
            # The first turn warms up.
            found[name] += [time.perf_counter() - start] if turn else []
    return found


@app.command()
def main(preset: PresetFolder, turns: Turns = 15, size: Size = 180, batch: Batch = 64, as_json: Json = False) -> None:
    """Measure both."""
    from statistics import median

    from stages.lib.networks.startup import start_tensorflow

    start_tensorflow()
    found = seconds(preset, size, batch, turns)
    each = {name: 1000 * median(values) / batch for name, values in found.items()}
    times = median(both / image for image, both in zip(*found.values(), strict=True))
    if as_json:
        print(json.dumps({"milliseconds": each, "times": times, "size": size, "batch": batch, "seconds": found}))
        return
    rows = [("image alone", f"{each['image']:.2f}", ""), ("image and mirror", f"{each['both']:.2f}", f"{times:.2f}")]
    tables.show(("", "ms an image", "times"), rows, f"{size} x {size}, batch {batch}, float32")


if __name__ == "__main__":
    app()
