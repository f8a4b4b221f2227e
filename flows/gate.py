"""Whether a new model may take the place of the one in use: both are compared on the newest test pictures."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flows import versions
from flows.cache import drop_damaged_object
from flows.errors import FlowError
from flows.parameters import PARAMS, check_parameters, read_parameters
from flows.registry import ARTIFACT, Promotion
from flows.results import cautions
from flows.revisions import fetch_directory
from flows.saved_run import CLASSIFIER

_SCRATCH = Path(".smallset") / "gate"


@dataclass(frozen=True)
class Decision:
    """What the gate says of a new model, and why, with the cautions of its report.

    comparison: as `smallset compare --json` has it; None without one.
    """

    promote: bool
    reason: str
    comparison: dict[str, Any] | None = None


def read_gate() -> Mapping[str, Any]:
    """Read the section `gate` of params.yaml, as `GateParams` of the stages has it.

    Raises:
        FlowError: a mistake in any section, or there is no such section.
    """
    check_parameters()
    section = read_parameters().get("gate")
    if not isinstance(section, dict):
        raise FlowError(f"{PARAMS}: expected a section 'gate'")
    return section


def decide(present: Promotion | None, summary: dict[str, Any], params: Mapping[str, Any]) -> Decision:
    """Compare the classifier of the working directory with the one in use, on the test pictures that lie there now.

    Whatever is decided, the reason has the cautions of the report.

    Args:
        present: the version in use; None if there is none yet. summary: of the report, which names the new model.
        params: the section `gate`.

    Raises:
        FlowError: the model in use cannot be fetched.
    """
    decision = _decide(present, summary, params)
    found = cautions(summary)
    if not found:
        return decision
    reason = f"{decision.reason.removesuffix('.')}."
    return replace(decision, reason=" ".join([reason, *(f"Caution: {text}" for text in found)]))


def _decide(present: Promotion | None, summary: dict[str, Any], params: Mapping[str, Any]) -> Decision:
    # On imbalanced pictures the headline is the balanced accuracy: saying the largest class is no achievement.
    measure = summary.get("headline", "accuracy")
    value, least, words = summary[measure], params["min_accuracy"], measure.replace("_", " ")
    if value < least:
        return Decision(False, f"{words} {value:.4f} is below gate.min_accuracy {least:g}")
    if present is None:
        return Decision(True, f"the first model in use; {words} {value:.4f}, expected at least {least:g}")
    shutil.rmtree(_SCRATCH, ignore_errors=True)
    try:
        if kept := (versions.record_of(present.commit) or {}).get("classifier"):
            drop_damaged_object(kept)
        fetch_directory(present.commit, CLASSIFIER.as_posix(), _SCRATCH / CLASSIFIER)
        return _beside(present)
    finally:
        shutil.rmtree(_SCRATCH, ignore_errors=True)


def _beside(present: Promotion) -> Decision:
    classes = [
        json.loads((folder / "summary.json").read_text(encoding="utf-8"))["classes"]
        for folder in (_SCRATCH / CLASSIFIER, CLASSIFIER)
    ]
    if classes[0] != classes[1]:
        used, new = (", ".join(names) for names in classes)
        return Decision(
            False,
            f"{present.version} in use knows the classes {used}, the new model {new}: nothing compares them; "
            "`smallset promote` puts the new one into use",
        )
    evaluation = _SCRATCH / "evaluation" / ARTIFACT
    data = ["--dataset", "data/dataset", "--manifest", "data/manifest.csv"]
    _stage("evaluate", *data, "--model", str(_SCRATCH / CLASSIFIER), "--evaluation", str(evaluation))
    (_SCRATCH / "report").mkdir()
    (_SCRATCH / "report" / "summary.json").write_text(json.dumps({"recommended": ARTIFACT}), encoding="utf-8")
    names = ["--before-name", present.version, "--after-name", "the new run"]
    found = json.loads(_stage("compare", "--before", str(_SCRATCH), "--after", ".", *names, "--format", "json"))
    return Decision(found["recommended"]["verdict"] != "worse", found["verdict"], found)


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
