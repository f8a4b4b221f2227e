"""What a run says of its test images, and whether another run was asked about the same ones."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from safety.words import in_one_line
from stages.lib.comparison.evaluations import order_of
from stages.lib.core.errors import UserError
from stages.lib.inference import predictions

_COLUMNS = ("path", "label", "predicted")
_EXAMPLES = 2  # images named of each kind
_ROUNDING = 1e-6  # of a probability


class Refused(UserError):
    """Two runs that cannot be compared: the message is the reason."""


@dataclass(frozen=True)
class Run:
    """The predictions kept with one run.

    Attributes:
        models: per model that is turned on path, sha256, label, predicted, `p_<class>`, sorted so that the rows of all
            models, and of another run on the same test images, belong together.
        recommended: None where none is kept.
        cautions: of its report.
    """

    name: str
    models: Mapping[str, pd.DataFrame]
    recommended: str | None
    cautions: Sequence[str] = ()

    @property
    def images(self) -> pd.DataFrame:
        """The test images: path, sha256, label."""
        return next(iter(self.models.values()))[["path", "sha256", "label"]]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that a model of this run can answer with."""
        return tuple(dict.fromkeys(name for table in self.models.values() for name in predictions.classes_of(table)))

    def right(self, model: str) -> np.ndarray:
        """bool (images,): whether each prediction of a model is right."""
        return (self.models[model]["label"] == self.models[model]["predicted"]).to_numpy()


def read_run(folder: Path, name: str) -> Run:
    """Read evaluation/<model>/predictions.csv and report/summary.json below `folder`.

    Args:
        folder: of the run: a checkout of its results.
        name: what it is called in messages.

    Raises:
        Refused: it kept no checksums, or its own models had different test images.
        UserError: there are no predictions, or a file is not what it should be.
    """
    tables: dict[str, pd.DataFrame] = {}
    for file in sorted(folder.glob("evaluation/*/predictions.csv"), key=lambda file: order_of(file.parent.name)):
        table = _read_table(file, name)
        # A model that is turned off has no rows.
        if len(table):
            tables[file.parent.name] = _sorted(table, name)
    if not tables:
        raise UserError(f"{name}: expected evaluation/<model>/predictions.csv of at least one model, found none")
    run = Run(name, tables, *_summary(folder, tables))
    first = next(iter(tables))
    for model, table in tables.items():
        if found := list(_differences(run.images, table, first, model)):
            raise Refused(
                f"the models of {name} were not evaluated on the same test images: {', '.join(found)}; run it again"
            )
    return run


def require_same_images(one: Run, other: Run) -> None:
    """Raise Refused, with the reason, where two runs have other test images or other labels."""
    if found := list(_differences(one.images, other.images, one.name, other.name)):
        raise Refused("; ".join([f"the test images differ: {', '.join(found)}", *class_differences(one, other)]))


def class_differences(one: Run, other: Run) -> Iterator[str]:
    """Say which classes only one of two runs knows; nothing where both know the same."""
    for run, beside in ((one, other), (other, one)):
        if only := [name for name in run.classes if name not in beside.classes]:
            yield f"only {run.name} knows the class{'es' if only[1:] else ''} {', '.join(only)}"


def _read_table(file: Path, name: str) -> pd.DataFrame:
    shown = f"{name}: {'/'.join(file.parts[-3:])}"
    try:
        table = predictions.read(file)
    except ValueError as error:
        raise UserError(f"{shown}: not a table of predictions: {in_one_line(error)}") from None
    if missing := [column for column in _COLUMNS if column not in table]:
        raise UserError(f"{shown}: expected a column {missing[0]}. Received: {', '.join(table.columns)}")
    shares = table.filter(regex="^p_").to_numpy(dtype=float)
    if not ((shares > -_ROUNDING) & (shares < 1 + _ROUNDING)).all():
        raise UserError(f"{shown}: not a table of predictions: expected probabilities from 0 to 1")
    return table


def _sorted(table: pd.DataFrame, name: str) -> pd.DataFrame:
    if "sha256" not in table or (table["sha256"] == "").any():
        raise Refused(
            f"{name} kept no checksums of its test images, so nobody can tell whether they are the same: "
            "it was made by an earlier Smallset; run it again with this one"
        )
    # By content, not by path: a test set may hold one image twice, and files may have moved.
    return table.sort_values(["sha256", "label", "path"], ignore_index=True)


def _summary(folder: Path, models: Mapping[str, pd.DataFrame]) -> tuple[str | None, list[str]]:
    """The recommended model and the cautions of the report, as far as there is one."""
    file = folder / "report" / "summary.json"
    if not file.is_file():
        return None, []
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        name, cautions = content.get("recommended"), list(map(str, content.get("cautions", [])))
        if not isinstance(name, str | None):
            raise TypeError
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise UserError(f"{'/'.join(file.parts[-2:])}: expected what the stage report writes") from None
    return (name if name in models else None), cautions


def _differences(one: pd.DataFrame, other: pd.DataFrame, name: str, other_name: str) -> Iterator[str]:
    """Say which test images only the one has, only the other has, and which carry another label."""
    ones, others = Counter(one["sha256"]), Counter(other["sha256"])
    for table, only, only_name in ((one, ones - others, name), (other, others - ones, other_name)):
        if only:
            paths = sorted(table.loc[table["sha256"].isin(only), "path"])
            yield f"{only.total():,} only in {only_name} ({_examples(paths, only.total())})"
    labels, other_labels = (Counter(zip(table["sha256"], table["label"], strict=True)) for table in (one, other))
    relabelled = (ones & others).total() - (labels & other_labels).total()
    if relabelled:
        changed, into = labels - other_labels, dict((other_labels - labels).keys())
        rows = zip(one["path"], one["sha256"], one["label"], strict=True)
        paths = sorted(
            f"{path}: {label} in {name}, {into[sha256]} in {other_name}"
            for path, sha256, label in rows
            if (sha256, label) in changed and sha256 in into
        )
        yield f"{relabelled:,} with another label ({_examples(paths, relabelled)})"


def _examples(names: list[str], total: int) -> str:
    return "; ".join(names[:_EXAMPLES]) + ("; ..." if total > _EXAMPLES else "")
