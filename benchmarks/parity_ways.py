"""A bundle asked in every way that there is, from the bytes of the same images, beside what Keras says of them."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np

import smallset

_AT_ONCE = 16  # images of a request of the Open Inference Protocol


@dataclass(frozen=True)
class Said:
    """What one way says of each image.

    Attributes:
        probabilities: float64 (images, classes).
        labels: the class by the bundle's rule; None of a way that gives numbers alone.
        decisions: sure, unsure or unknown; None likewise, or of a bundle without limits.
    """

    probabilities: np.ndarray
    labels: list[str] | None = None
    decisions: list[str] | None = None


def by_package(directory: Path, paths: Sequence[Path]) -> Said:
    """What `smallset.load` says of their bytes."""
    return _said([vars(one) for one in smallset.load(directory).predict(path.read_bytes() for path in paths)])


def by_command(directory: Path, paths: Sequence[Path], folder: Path) -> Said:
    """What `smallset predict` writes of these files.

    Args:
        directory: of the bundle.
        paths: of the images.
        folder: for the list of the files and for what is written.
    """
    listed, table = folder / "paths.csv", folder / "table.jsonl"
    listed.write_text("path\n" + "".join(f"{path}\n" for path in paths), encoding="utf-8")
    command = [sys.executable, "-m", "flows.cli", "predict", *map(str, (listed, "--model", directory))]
    subprocess.run([*command, "--output", str(table)], check=True, stderr=subprocess.DEVNULL)
    rows = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
    assert [row["path"] for row in rows] == list(map(str, paths))
    return _said([row | {"label": row["predicted"]} for row in rows])


def by_service(directory: Path, paths: Sequence[Path]) -> tuple[Said, Said]:
    """What `smallset serve` answers: to the bytes of each image, and to several in the Open Inference Protocol."""
    # It takes its images from `benchmarks.parity`, which imports this.
    from benchmarks.service import serving

    with serving(directory) as (port, _):
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        rows = []
        for path in paths:
            connection.request("POST", "/predict", path.read_bytes(), {"Content-Type": "application/octet-stream"})
            rows += _answer(connection)["predictions"]
        connection.request("GET", "/ready")
        model = _answer(connection)["model"]
        answers = [_inferred(connection, model, some) for some in _parts(paths)]
    values = [np.reshape(one["probabilities"]["data"], one["probabilities"]["shape"]) for one in answers]
    texts = {
        name: [text for one in answers for text in one[name]["data"]]
        for name in ("labels", "decisions")
        if name in answers[0]
    }
    return _said(rows), Said(np.concatenate(values), texts["labels"], texts.get("decisions"))


def beside(expected: np.ndarray, found: dict[str, Said]) -> list[dict[str, Any]]:
    """A row per way: what changes beside Keras, and beside the package in class and decision.

    Args:
        expected: probabilities of Keras, float64 (images, classes).
        found: by way; the first one is the package.
    """
    first = next(iter(found.values()))
    return [
        {
            "way": way,
            "changed_top_classes": int((expected.argmax(axis=1) != said.probabilities.argmax(axis=1)).sum()),
            "largest_difference": float(np.abs(expected - said.probabilities).max()),
            "median_difference": float(np.median(np.abs(expected - said.probabilities))),
            "other_labels": _others(first.labels, said.labels),
            "other_decisions": _others(first.decisions, said.decisions),
        }
        for way, said in found.items()
    ]


def _others(first: list[str] | None, other: list[str] | None) -> int | None:
    """How many texts differ; None where there are none."""
    if first is None or other is None:
        return None
    return sum(one != another for one, another in zip(first, other, strict=True))


def _said(rows: list[dict[str, Any]]) -> Said:
    decisions = [row["decision"] for row in rows if row.get("decision") is not None]
    return Said(
        np.array([list(row["probabilities"].values()) for row in rows]),
        [row["label"] for row in rows],
        decisions if len(decisions) == len(rows) else None,
    )


def _parts(paths: Sequence[Path]) -> Iterator[Sequence[Path]]:
    for start in range(0, len(paths), _AT_ONCE):
        yield paths[start : start + _AT_ONCE]


def _inferred(connection: HTTPConnection, model: str, paths: Sequence[Path]) -> dict[str, Any]:
    """Outputs by name."""
    data = [base64.b64encode(path.read_bytes()).decode("ascii") for path in paths]
    content = {"inputs": [{"name": "images", "shape": [len(data)], "datatype": "BYTES", "data": data}]}
    connection.request("POST", f"/v2/models/{model}/infer", json.dumps(content), {"Content-Type": "application/json"})
    return {one["name"]: one for one in _answer(connection)["outputs"]}


def _answer(connection: HTTPConnection) -> dict[str, Any]:
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, content[:300]
    found: dict[str, Any] = json.loads(content)
    return found
