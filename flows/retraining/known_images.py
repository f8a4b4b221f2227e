"""Images that the run in use knew, by checksum: whether today's labels and its own answers still say the same."""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.errors import FlowError
from flows.project.records import SUMMARY, check_summary
from flows.project.revisions import fetch_file
from flows.registry import saved_runs
from safety.words import in_one_line

MANIFEST = Path("data") / "manifest.csv"
Rows = Sequence[Mapping[str, str]]
ANSWERS = ("label", "predicted")  # columns of predictions; `sha256` and others may lack in those of an older run
_OF_MANIFEST = ("path", "sha256", "class")  # columns
_EXAMPLES = 3  # classes, or images, named of each kind


@dataclass(frozen=True)
class Findings:
    """What is to be told.

    Attributes:
        stops: sentences because of which no model is promoted unasked.
        notes: the others.
    """

    stops: Sequence[str] = ()
    notes: Sequence[str] = ()


def read_rows(content: bytes, where: str, columns: Collection[str]) -> Rows:
    """Read a csv of this project, or of a run that somebody has pushed: a row per image, every value as text.

    Args:
        where: it lies, for the error.
        columns: that it has to have; a value that a row lacks is empty.

    Raises:
        FlowError: it is no such csv.
    """
    try:
        table = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), restval="")
        rows, found = list(table), table.fieldnames or []
    except (csv.Error, UnicodeDecodeError) as error:
        raise FlowError(f"{where}: expected a csv in UTF-8: {in_one_line(error)}") from None
    if missing := [name for name in columns if name not in found]:
        raise FlowError(f"{where}: expected the columns {', '.join(columns)}, found no {', '.join(missing)}")
    return rows


def predictions_of(model: str) -> Rows:
    """The predictions of a model that lie here: path, sha256, label, predicted of each test image.

    Raises:
        FlowError: there are none.
    """
    file = Path("evaluation") / model / "predictions.csv"
    try:
        return read_rows(file.read_bytes(), str(file), ANSWERS)
    except FileNotFoundError:
        raise FlowError(f"{file}: expected the predictions of the recommended model, found none") from None


def fingerprint(rows: Rows) -> str:
    """What names a set of test images, whatever their order, names and labels: of their checksums, 16 digits."""
    checksums = "\n".join(sorted(row.get("sha256", "") for row in rows))
    return hashlib.sha256(checksums.encode()).hexdigest()[:16]


def times_decided(workspace: saved_runs.Workspace, found: str) -> int:
    """How many saved runs of a branch were decided on the test images with this fingerprint."""
    images = (one.record.get("test_images") or {} for one in saved_runs.versions(workspace))
    return sum(one.get("fingerprint") == found for one in images)


def compare_manifests(revision: str, name: str, params: Mapping[str, Any]) -> Findings:
    """Compare the classes and the subsets of the images that are here with those that a run had.

    Args:
        revision: of the run.
        name: of the run.
        params: section `gate`; `max_relabelled`, `max_lost`.

    Raises:
        FlowError: what that run had cannot be fetched.
    """
    if not MANIFEST.is_file():
        return Findings(notes=[f"{MANIFEST} is missing: nobody compared the labels with those of {name}"])
    before = fetch_file(revision, MANIFEST.as_posix())
    if before is None:
        return Findings(notes=[f"{name} kept no {MANIFEST}: nobody compared its labels with those of today"])
    rows = read_rows(MANIFEST.read_bytes(), str(MANIFEST), _OF_MANIFEST)
    known = read_rows(before, f"{MANIFEST} of {name}", _OF_MANIFEST)
    relabelled, notes = _relabelled(known, rows, name, params["max_relabelled"])
    return Findings([*relabelled, *_lost(known, rows, name, params["max_lost"])], [*notes, *_learnt(known, rows, name)])


def _relabelled(known: Rows, rows: Rows, name: str, most: float) -> tuple[list[str], list[str]]:
    """Known images that changed class, as a reason to stop, or as a note where they are few of every class."""
    today = {row["sha256"]: row["class"] for row in rows}
    same = [(row["class"], today[row["sha256"]], row["path"]) for row in known if row["sha256"] in today]
    moves = Counter((old, new) for old, new, _ in same if old != new)
    if not moves:
        return [], []
    totals, changed = Counter(old for old, _, _ in same), Counter[str]()
    for (old, _), count in moves.items():
        changed[old] += count
    listed = [f"{count:,} from {old} to {new}" for (old, new), count in moves.most_common()]
    paths = [path for old, new, path in same if old != new]
    text = (
        f"{moves.total():,} of {len(same):,} images that {name} knew have changed class: {_some(listed, ', ')} "
        f"({_some(paths, '; ')})"
    )
    # One image of a small class is a correction.
    if any(count > max(1, most * totals[old]) for old, count in changed.items()):
        return [f"{text}; more than gate.max_relabelled {most:g} of a class"], []
    return [], [text]


def _lost(known: Rows, rows: Rows, name: str, most: float) -> Iterator[str]:
    before, now = (Counter(row["class"] for row in table) for table in (known, rows))
    lost = [
        f"{old} has {now[old]:,} of {count:,}" for old, count in sorted(before.items()) if now[old] < (1 - most) * count
    ]
    if lost:
        share = f"more than gate.max_lost {most:g} of the images that {name} had"
        yield f"classes have lost {share}: {_some(lost, ', ')}"


def _learnt(known: Rows, rows: Rows, name: str) -> Iterator[str]:
    """Say that images test today which the model has learnt, such as of a series or an order that placed them anew."""
    learnt = {row["sha256"] for row in known if row.get("subset") == "train"}
    tests = [row["sha256"] for row in rows if row.get("subset") == "test"]
    if count := sum(one in learnt for one in tests):
        yield f"{count:,} of today's {len(tests):,} test images trained {name}, which favours it"


def collapse(revision: str, name: str, now: Rows, margin: float) -> Iterator[str]:
    """Say where a model answers today's test images far worse than it did when it was made.

    On images that tested it then, its answers are the same ones: what differs are labels, or how it is run. On others
    a model that is no better than guessing has met labels, or images, of another kind.

    Args:
        revision: of its run.
        name: of its run.
        now: predictions of today.
        margin: how much less often it may be right on those that it knew.
    """
    kept = _kept_predictions(revision, name)
    before = {row["sha256"]: _is_right(row) for row in kept if row.get("sha256")}
    known = [(before[row["sha256"]], _is_right(row)) for row in now if row["sha256"] in before]
    was, is_now = (sum(column) for column in zip(*known, strict=True)) if known else (0, 0)
    if was - is_now > margin * len(known):
        yield (
            f"{name} in use was right on {_share(was, known)} of {len(known):,} test images that it knew, and is "
            f"right on {_share(is_now, known)} of them today"
        )
    classes, right = len({row["label"] for row in now}), sum(map(_is_right, now))
    if right * classes <= len(now) and sum(map(_is_right, kept)) * classes > len(kept):
        yield f"{name} in use is right on {_share(right, now)} of today's test images, no more than by guessing"


def _kept_predictions(revision: str, run: str) -> Rows:
    """The predictions of the model that a run recommended; empty where it kept none."""
    try:
        summary = json.loads(fetch_file(revision, SUMMARY.as_posix()) or b"{}")
    except (ValueError, RecursionError):
        summary = None
    if not isinstance(summary, dict):
        raise FlowError(f"{SUMMARY} of {run}: expected what a report writes")
    check_summary(summary, f"{SUMMARY} of {run}")
    file = f"evaluation/{summary.get('recommended')}/predictions.csv"
    content = fetch_file(revision, file) if summary.get("recommended") else None
    return [] if content is None else read_rows(content, f"{file} of {run}", ANSWERS)


def chance(rows: Rows, measure: str) -> float:
    """What guessing reaches on these images: the share of the largest class; of balanced accuracy, 1 / classes."""
    counts = Counter(row["label"] for row in rows)
    return 1 / len(counts) if measure == "balanced_accuracy" else max(counts.values()) / len(rows)


def _is_right(row: Mapping[str, str]) -> bool:
    return row["label"] == row["predicted"]


def _share(count: int, of: Sequence[object]) -> str:
    return f"{100 * count / len(of):.1f} %"


def _some(texts: Sequence[str], between: str) -> str:
    return between.join(texts[:_EXAMPLES]) + (
        f"{between}and {len(texts) - _EXAMPLES:,} more" * (len(texts) > _EXAMPLES)
    )
