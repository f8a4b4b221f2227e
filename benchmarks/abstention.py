"""When a model does not know: unsure and unknown images, on real photographs and on those of a project that has run.

    python -m benchmarks.abstention dogs-vs-cats-5000.zip flowers-1000.zip mobilenet_v2_imagenet
    python -m benchmarks.abstention --project .

The first: features of a frozen preset, each image and its mirror image, and the linear head of `feature_extraction`;
trained on 40 % of the images, limits chosen on 20 %, measured on 40 %. Foreign images are the drawn kinds and the
second archive. Beside the distance that the pipeline takes are the same without square roots, and that of Mahalanobis
to the nearest class (Lee et al., 2018). The second prints what the stage `decisions` measured.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from scipy.special import softmax

from benchmarks import tables
from benchmarks.foreign_distances import area, mahalanobis, plain
from benchmarks.options import Json, mistakes_in_one_line
from benchmarks.parity import class_of, last_images
from smallset.images.decode import decode
from smallset.images.in_memory import from_array
from smallset.images.resizing import STRETCH
from stages.lib.core.decision_sections import DecisionsParams
from stages.lib.deciding import choosing, distances, measured
from stages.lib.drawing.foreign import KINDS, draw_foreign
from stages.lib.networks.startup import start_tensorflow

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
TARGETS = (0.99, 0.995)
FOREIGN = 100  # of each kind
BATCH = 64
COVERAGES = (1, 0.99, 0.98, 0.97, 0.96, 0.95, 0.9, 0.8)


@dataclass(frozen=True)
class Photographs:
    """Features of real images and of others.

    Attributes:
        classes: names.
        labels: int64 (images,).
        vectors: float32 (images, channels).
        mirrored: the same of the mirror images.
        foreign: by kind, float32 (images, channels), the mean of both.
    """

    classes: list[str]
    labels: np.ndarray
    vectors: np.ndarray
    mirrored: np.ndarray
    foreign: dict[str, np.ndarray]


def read(archive: Path, other: Path, preset: Path, size: int, images: int) -> Photographs:
    """Compute the features of the images of an archive, of drawn foreign images and of those of another archive."""
    start_tensorflow(deterministic=True)
    from stages.lib.inference.forward import compiled
    from stages.lib.networks import build

    run = compiled(build.feature_extractor(preset, size, "float32"), BATCH)

    def features(pixels: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        waiting, both = iter(pixels), []
        while some := list(islice(waiting, BATCH)):
            both.append((run(np.stack(some)), run(np.stack(some)[:, :, ::-1])))
        own, mirrored = (np.concatenate(part) for part in zip(*both, strict=True))
        return own, mirrored

    named = last_images(archive, images)
    classes, labels = np.unique([class_of(name) for name, _ in named], return_inverse=True)
    foreign = {kind: drawn(kind, size) for kind in KINDS}
    foreign[other.stem] = (decode(content, size) for _, content in last_images(other, 3 * FOREIGN))
    return Photographs(
        *(list(classes), labels, *features(decode(content, size) for _, content in named)),
        {kind: np.mean(features(pixels), axis=0) for kind, pixels in foreign.items()},
    )


def drawn(kind: str, size: int) -> Iterator[np.ndarray]:
    """Foreign images of a kind as a model takes them."""
    for index in range(FOREIGN):
        yield from_array(np.asarray(draw_foreign(kind, index, 0)), size, "rgb", STRETCH)


def measure(found: Photographs) -> dict[str, Any]:
    """Accuracy and coverage of the real images, and how each kind of foreign images is told from them."""
    from stages.lib.heads import logistic
    from stages.lib.heads.training_images import Training

    labels, seen = found.labels, (found.vectors + found.mirrored) / 2
    order = np.random.default_rng(0).permutation(len(labels))
    train, validation, test = np.split(order, [len(order) * 2 // 5, len(order) * 3 // 5])
    training = Training(
        found.vectors[train], labels[train], np.arange(len(train)), len(found.classes), found.mirrored[train]
    )
    choice = logistic.search(training, 0).choice
    head, distance = logistic.fitted(training, choice, 0), distances.fitted(seen[train], 0)
    uncalibrated = softmax(head.logits(seen[test]) / choice.factor, axis=1)
    result: dict[str, Any] = {
        "images": [len(train), len(validation), len(test)],
        "calibration_before": measured.calibration(labels[test], uncalibrated),
        "targets": {},
    }
    for target in TARGETS:
        params = DecisionsParams(
            enabled=True, criterion="accuracy", of_class=None, recall=0.95, costs={}, accuracy=target, keep=0.99
        )
        validated = choosing.Validated(
            *(found.classes, labels[validation], head.probabilities(seen[validation])),
            distance.of(seen[validation]),
            is_calibrated=True,
        )
        decisions = choosing.chosen(validated, params, 0)
        judged = {kind: (head.probabilities(some), distance.of(some)) for kind, some in found.foreign.items()}
        result["targets"][str(target)] = measured.figures(
            *(decisions, labels[test], head.probabilities(seen[test]), distance.of(seen[test]), judged)
        )
    others = {"without square roots": plain(seen[train]), "Mahalanobis": mahalanobis(seen[train], labels[train])}
    result["other_distances"] = {
        name: {kind: area(one(seen[test]), one(some)) for kind, some in found.foreign.items()}
        for name, one in others.items()
    }
    return result


def _show(found: dict[str, Any], title: str, others: dict[str, dict[str, float]]) -> None:
    sure = found["sure"]
    interval = "-" if sure["accuracy"] is None else f"{sure['accuracy']:.4f} ({sure['low']:.4f} to {sure['high']:.4f})"
    tables.show(
        [title, "all right", "sure", "right of the sure", "unsure", "unknown"],
        [
            [
                f"{found['images']:,} test images",
                f"{found['all']['accuracy']:.4f}",
                f"{sure['share']:.3f}",
                interval,
                f"{found['unsure']:.3f}",
                f"{found['unknown']:.3f}",
            ]
        ],
    )
    rows = [
        [
            row["kind"],
            *(f"{row[key]:.4f}" for key in ("auroc", "false_positive_rate", "unknown", "answered")),
            *(f"{areas[row['kind']]:.4f}" for areas in others.values()),
        ]
        for row in found["foreign"]
    ]
    titles = [f"AUROC {name}" for name in others]
    tables.show(["foreign images", "AUROC", "taken for real at 95 % kept", "unknown", "sure", *titles], rows)


def _show_curve(found: dict[str, Any], before: dict[str, float]) -> None:
    """Calibration, and risk against coverage: of the surest images, as many as are said."""
    after = found["calibration"]["after"]
    rows = [[key, f"{before[key]:.4f}", f"{after[key]:.4f}"] for key in before]
    tables.show(["calibration of the head", "before", "after"], rows)
    nearest = [min(found["curve"], key=lambda point: abs(point[0] - share)) for share in COVERAGES]
    tables.show(["answered, the surest first", "right"], [[f"{share:.3f}", f"{right:.4f}"] for share, right in nearest])


@app.command(help=__doc__)
@mistakes_in_one_line()
def main(
    archive: Annotated[Path | None, typer.Argument(exists=True, help="Photographs of several classes.")] = None,
    other: Annotated[Path | None, typer.Argument(exists=True, help="Photographs of something else.")] = None,
    preset: Annotated[Path | None, typer.Argument(exists=True, help="A preset directory.")] = None,
    project: Annotated[Path | None, typer.Option(help="A project that has run.")] = None,
    size: Annotated[int, typer.Option(help="Pixels a side.")] = 180,
    images: Annotated[int, typer.Option(help="In all.")] = 5000,
    as_json: Json = False,
) -> None:
    if project is not None:
        found = json.loads((project / "models" / "decisions" / "figures.json").read_text(encoding="utf-8"))
        print(json.dumps(found, indent=2)) if as_json else _show(found, found["model"], {})
        return
    if archive is None or other is None or preset is None:
        raise typer.BadParameter("expected an archive, another one and a preset directory, or --project")
    found = measure(read(archive, other, preset, size, images))
    if as_json:
        print(json.dumps(found, indent=2))
        return
    _show_curve(next(iter(found["targets"].values())), found["calibration_before"])
    for target, figures in found["targets"].items():
        _show(figures, f"target {target}", found["other_distances"])


if __name__ == "__main__":
    app()
