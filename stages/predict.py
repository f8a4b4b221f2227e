"""A trained model on new pictures: `smallset predict`. A command, no stage of the graph."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from stages.lib.archives import is_set_aside
from stages.lib.errors import UserError
from stages.lib.outputs import whole_file
from stages.lib.startup import start_tensorflow

MODELS = Path("models")
RECOMMENDED = "classifier"
_BATCH = 64


def predict(paths: Sequence[Path], model: str | None) -> tuple[pd.DataFrame, dict[Path, str]]:
    """Classify pictures, and all files in folders, with one of the trained models.

    Args:
        model: name of the model; None takes the one that the report recommends.

    Returns:
        A row per picture: path, predicted, and `p_<class>`; and, per broken file, why it was left out.

    Raises:
        UserError: no such model, no such file, or nothing that can be decoded.
    """
    files = list(_files_in(paths))
    if not files:
        raise UserError(f"expected at least one picture, found no file in {', '.join(map(str, paths))}")
    directory = MODELS / (model or RECOMMENDED)
    if not (directory / "model.keras").is_file():
        raise UserError(f"--model: expected one of the trained models: {_trained()}. Received: {directory.name!r}")

    start_tensorflow()
    from stages.lib import predictions
    from stages.lib.inference import probabilities
    from stages.lib.saved_model import load, resizing_of

    network, classes = load(directory / "model.keras")
    broken: dict[Path, str] = {}
    resizing = resizing_of(directory / "model.keras")
    chances = probabilities(network, files, min(_BATCH, len(files)), broken, resizing=resizing)
    good = [str(file) for file in files if file not in broken]
    if not good:
        reasons = "; ".join(f"{file}: {reason}" for file, reason in list(broken.items())[:3])
        raise UserError(f"expected at least one picture, found {len(files)} files that are none: {reasons}")
    summary = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
    print(f"model: {summary['stage']}", file=sys.stderr)
    return predictions.table(good, classes, chances), broken


def _files_in(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = [file for file in sorted(path.rglob("*")) if file.is_file()]
            yield from (file for file in inside if not is_set_aside(file.relative_to(path).as_posix()))
        elif path.exists():
            yield path
        else:
            raise UserError(f"{path}: expected a picture or a folder, found nothing")


def _trained() -> str:
    """Names of the trained models."""
    names = [file.parent.name for file in sorted(MODELS.glob("*/model.keras"))]
    return ", ".join(names) or "none; run `smallset run` first"


def _show(table: pd.DataFrame) -> None:
    shown = Table(box=None, header_style="dim")
    for place, name in enumerate(table.columns):
        shown.add_column(name, overflow="fold", justify="left" if place < 2 else "right")
    for row in table.itertuples(index=False):
        shown.add_row(*(f"{value:.4f}" if isinstance(value, float) else str(value) for value in row))
    Console().print(shown)


def main() -> None:
    """Read the command line, classify, and write a table to the terminal or to a file."""
    parser = argparse.ArgumentParser(prog="smallset predict")
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    try:
        table, broken = predict(options.paths, options.model)
    except UserError as error:
        sys.exit(f"error: {error}")
    if options.csv is None:
        _show(table)
    else:
        from stages.lib import predictions

        with whole_file(options.csv) as partial:
            predictions.write(table, partial)
        print(f"{options.csv}: {len(table)} pictures", file=sys.stderr)
    for file, reason in broken.items():
        print(f"left out: {file}: {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
