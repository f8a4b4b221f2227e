"""When a model does not know: unsure and unknown images, on real photographs and on those of a project that has run.

    python -m benchmarks.abstention dogs-vs-cats-5000.zip flowers-1000.zip mobilenet_v2_imagenet
    python -m benchmarks.abstention --project .

The first: features of a frozen preset, the linear head of `feature_extraction`; limits chosen on validation images, and
accuracy and coverage on as many test images. Foreign images are the drawn kinds and the second archive. Beside the
distance that the pipeline takes is that of Mahalanobis to the nearest class (Lee et al., 2018). The second
prints what the stage `decisions` measured.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from sklearn.covariance import LedoitWolf

from benchmarks import tables
from benchmarks.options import Json
from benchmarks.parity import last_images
from smallset.images.decode import decode, from_array
from smallset.images.resizing import STRETCH
from stages.lib.core.decision_sections import DecisionsParams
from stages.lib.deciding import choosing, distances, measured
from stages.lib.drawing.foreign import KINDS, draw_foreign
from stages.lib.evaluation.rankings import roc_auc
from stages.lib.networks.startup import start_tensorflow

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
TARGETS = (0.99, 0.995)
FOREIGN = 100  # of each kind


def photographs(archive: Path, other: Path, preset: Path, size: int, images: int) -> dict[str, Any]:
    """Accuracy and coverage of the real images, and how each kind of foreign images is told from them."""
    start_tensorflow(deterministic=True)
    from stages.lib.heads import logistic
    from stages.lib.heads.training_images import Training
    from stages.lib.inference.forward import compiled
    from stages.lib.networks import build

    run = compiled(build.feature_extractor(preset, size, "float32"), 64)

    def features(pixels: list[np.ndarray]) -> np.ndarray:
        batches = [np.stack(pixels[at : at + 64]) for at in range(0, len(pixels), 64)]
        return np.concatenate([run(batch) for batch in batches])

    named = last_images(archive, images)
    names = np.array([Path(name).stem.rpartition(".")[0] or Path(name).parent.name for name, _ in named])
    classes, labels = np.unique(names, return_inverse=True)
    vectors = features([decode(content, size) for _, content in named])
    order = np.random.default_rng(0).permutation(len(labels))
    train, validation, test = np.array_split(order, 3)
    training = Training(vectors[train], labels[train], np.arange(len(train)), len(classes), None, False, None)
    head = logistic.fitted(training, logistic.search(training, 0).choice, 0)
    drawn = {kind: [np.asarray(draw_foreign(kind, index, 0)) for index in range(FOREIGN)] for kind in KINDS}
    foreign = {kind: features([from_array(one, size, "rgb", STRETCH) for one in some]) for kind, some in drawn.items()}
    foreign |= {other.stem: features([decode(content, size) for _, content in last_images(other, 3 * FOREIGN)])}
    distance = distances.fitted(vectors[train], 0)
    result: dict[str, Any] = {"images": [len(train), len(validation), len(test)], "targets": {}}
    for target in TARGETS:
        params = DecisionsParams(
            enabled=True, criterion="accuracy", of_class=None, recall=0.95, costs={}, accuracy=target, keep=0.99
        )
        validated = choosing.Validated(
            *(list(classes), labels[validation], head.probabilities(vectors[validation])),
            distance.of(vectors[validation]),
            is_calibrated=True,
        )
        decisions = choosing.chosen(validated, params, 0)
        judged = {kind: (head.probabilities(some), distance.of(some)) for kind, some in foreign.items()}
        found = measured.figures(
            *(decisions, labels[test], head.probabilities(vectors[test]), distance.of(vectors[test]), judged)
        )
        result["targets"][str(target)] = found
    to_class = _mahalanobis(vectors[train], labels[train])
    result["mahalanobis"] = {kind: _area(to_class(vectors[test]), to_class(some)) for kind, some in foreign.items()}
    return result


def _mahalanobis(known: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The distance to the nearest class, in the covariance within classes, shrunk (Ledoit and Wolf, 2004)."""
    means = np.stack([known[labels == label].mean(axis=0) for label in np.unique(labels)])
    precision = LedoitWolf(assume_centered=True).fit(known - means[labels]).precision_

    def distance(some: np.ndarray) -> np.ndarray:
        apart = some[:, np.newaxis] - means
        squares: np.ndarray = np.einsum("icf,fg,icg->ic", apart, precision, apart, optimize=True)
        return squares.min(axis=1)

    return distance


def _area(near: np.ndarray, far: np.ndarray) -> float:
    both = np.concatenate([near, far])
    return roc_auc(np.repeat([0, 1], [len(near), len(far)]), np.stack([-both, both], axis=1)).value


def _show(found: dict[str, Any], title: str, mahalanobis: dict[str, float]) -> None:
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
            f"{mahalanobis[row['kind']]:.4f}" if row["kind"] in mahalanobis else "-",
        ]
        for row in found["foreign"]
    ]
    tables.show(
        ["foreign images", "AUROC", "taken for real at 95 % kept", "unknown", "sure", "AUROC of Mahalanobis"], rows
    )


@app.command(help=__doc__)
def main(
    archive: Annotated[Path | None, typer.Argument(help="Photographs of several classes.")] = None,
    other: Annotated[Path | None, typer.Argument(help="Photographs of something else.")] = None,
    preset: Annotated[Path | None, typer.Argument(help="A preset directory.")] = None,
    project: Annotated[Path | None, typer.Option(help="A project that has run.")] = None,
    size: Annotated[int, typer.Option(help="Pixels a side.")] = 180,
    images: Annotated[int, typer.Option(help="In all: a third each to train, validate and test.")] = 4500,
    as_json: Json = False,
) -> None:
    if project is not None:
        found = json.loads((project / "models" / "decisions" / "figures.json").read_text(encoding="utf-8"))
        print(json.dumps(found, indent=2)) if as_json else _show(found, found["model"], {})
        return
    if archive is None or other is None or preset is None:
        raise typer.BadParameter("expected an archive, another one and a preset directory, or --project")
    found = photographs(archive, other, preset, size, images)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for target, figures in found["targets"].items():
        _show(figures, f"target {target}", found["mahalanobis"])


if __name__ == "__main__":
    app()
