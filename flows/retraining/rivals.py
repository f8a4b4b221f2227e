"""The models that a new one is measured by: the one in use, and the best before, so that no quality drifts away."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from flows.errors import FlowError
from flows.project.cache import drop_damaged_object
from flows.project.records import SUMMARY
from flows.project.revisions import fetch_directory
from flows.registry import gto, saved_runs
from flows.registry.gto import ARTIFACT, Promotion
from flows.registry.run_record import CLASSIFIER
from flows.retraining import known_images

# Where `stages.classifier` keeps the model that was measured, when the one that it deploys is trained on more images.
MEASURED = "measured"
_SCRATCH = Path(".smallset") / "gate"


def anchor(present: Promotion) -> Promotion:
    """The last model that was shown to be better than the best one before it, or that a person chose.

    By the record of its run, not by trying every model again: of many equal ones the luckiest on these test images
    would be taken, and the more there were, the fewer equal ones could follow (`python -m benchmarks.gate_drift`). A
    model that a person took out of use is none, and one that went into use since the person's word counts.
    """
    used = gto.promotions()
    out = gto.withdrawn(used)
    best = next((one for one in used if one.version not in out and _sets_the_mark(one, used)), None)
    return best or present


def _sets_the_mark(one: Promotion, used: Sequence[Promotion]) -> bool:
    if one.action == "promote" or one == used[-1]:
        return True
    if one.action:
        return False
    record = saved_runs.record_of(one.commit) or {}
    # Runs of earlier versions kept the comparison with the one in use alone.
    old = ((record.get("comparison") or {}).get("recommended") or {}).get("verdict") == "better"
    return bool(record.get("is_best", old or record.get("decision") != "promoted"))


@contextmanager
def fetched() -> Iterator[None]:
    """Keep what is fetched and evaluated of these models until the gate has looked at it."""
    shutil.rmtree(_SCRATCH, ignore_errors=True)
    try:
        yield
    finally:
        shutil.rmtree(_SCRATCH, ignore_errors=True)


def other_classes(promotion: Promotion) -> str | None:
    """Why a model that was promoted cannot be compared with the new one; None if it can."""
    used, new = (
        json.loads((folder / "summary.json").read_text(encoding="utf-8"))["classes"]
        for folder in (_folder(promotion) / CLASSIFIER, CLASSIFIER)
    )
    if used == new:
        return None
    return (
        f"{promotion.version} in use knows the classes {', '.join(used)}, the new model {', '.join(new)}: nothing "
        "compares them; look at the names and numbers of the classes, then a person decides: "
        "`smallset promote` puts the new one into use"
    )


def compare(promotion: Promotion) -> dict[str, Any]:
    """Evaluate a model that was promoted on the test images that lie here, and compare the new one with it."""
    folder = _folder(promotion)
    data = ["--dataset", "data/dataset", "--manifest", str(known_images.MANIFEST)]
    outputs = ["--evaluation", f"{folder}/evaluation/{ARTIFACT}", "--metrics", f"{folder}/metrics/{ARTIFACT}.json"]
    _stage("evaluate", *data, "--model", str(_measured(folder / CLASSIFIER)), *outputs)
    (folder / SUMMARY).parent.mkdir()
    (folder / SUMMARY).write_text(json.dumps({"recommended": ARTIFACT}), encoding="utf-8")
    names = ["--before-name", promotion.version, "--after-name", "the new run"]
    text = _stage("compare", "--before", str(folder), "--after", ".", *names, "--format", "json")
    found: dict[str, Any] = json.loads(text, parse_constant=_refuse_constant)
    return found


def _refuse_constant(name: str) -> NoReturn:
    """No bound is on the right side of a margin, nor on the wrong one, that is no number."""
    raise FlowError(f"compare: expected numbers. Received: {name}")


def predictions(promotion: Promotion) -> known_images.Rows:
    """The answers of a model that has been compared: path, sha256, label, predicted of each test image."""
    file = _SCRATCH / promotion.version / "evaluation" / ARTIFACT / "predictions.csv"
    return known_images.read_rows(file.read_bytes(), str(file), known_images.ANSWERS)


def _measured(classifier: Path) -> Path:
    """The model whose figures speak for a classifier: what is deployed may have learnt from the test images since."""
    return classifier / MEASURED if (classifier / MEASURED).is_dir() else classifier


def _folder(promotion: Promotion) -> Path:
    """Where a model that was promoted lies, with its answers to today's test images, as long as the gate looks."""
    folder = _SCRATCH / promotion.version
    if not (folder / CLASSIFIER).is_dir():
        if kept := (saved_runs.record_of(promotion.commit) or {}).get("classifier"):
            drop_damaged_object(kept)
        fetch_directory(promotion.commit, CLASSIFIER.as_posix(), folder / CLASSIFIER)
    return folder


def _stage(module: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", f"stages.{module}", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [_refusal(done.stdout) or f"exit code {done.returncode}"]
        raise FlowError(f"{module} of the model in use: {lines[-1].removeprefix('error: ')}")
    return done.stdout


def _refusal(output: str) -> str | None:
    """Why `compare` did not compare, if it says so in JSON."""
    try:
        return str(json.loads(output)["refused"])
    except (ValueError, KeyError, TypeError):
        return None
