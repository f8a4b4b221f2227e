"""A trained model on new images: `smallset predict`. A command, no stage of the graph."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from safety.text import is_utf8, visible
from stages.lib.core.errors import UserError
from stages.lib.images.set_aside import is_set_aside, summary
from stages.lib.inference.prediction_table import require_target, show, write
from stages.lib.networks.startup import start_tensorflow
from stages.lib.sources.folders import walk

MODELS = Path("models")
RECOMMENDED = "classifier"
_BATCH = 64


def predict(paths: Sequence[Path], model: str | None, csv: Path | None = None) -> tuple[pd.DataFrame, dict[Path, str]]:
    """Classify images, and all files in folders, with one of the trained models.

    Args:
        paths: files and folders, in this order; of a folder all files inside it, at any depth.
        model: name of the model; None takes the one that the report recommends.
        csv: where the caller will write the result, if anywhere: checked before any work.

    Returns:
        A row per image: path, predicted, and `p_<class>`; and, per broken file, why it was left out.

    Raises:
        UserError: no such model, no such file, a name that is not UTF-8, nothing that can be decoded, or nothing can
            be written to `csv`.

    Example:
        >>> table, broken = predict([Path("data/dataset/test")], "scratch")
        >>> list(table.columns)
        ['path', 'predicted', 'p_cat', 'p_dog']
    """
    files = list(_files_in(paths))
    _require_names(files)
    if csv is not None:
        require_target(csv, files)
    if not files:
        raise UserError(f"expected at least one image, found none in {', '.join(map(str, paths))}")
    directory = MODELS / (model or RECOMMENDED)
    if not (directory / "model.keras").is_file():
        raise UserError(f"--model: expected one of the trained models: {_trained()}. Received: {directory.name!r}")

    start_tensorflow()
    from stages.lib.decoding.stream import stream
    from stages.lib.inference import forward, predictions
    from stages.lib.networks.saved_model import load, resizing_of

    network, classes = load(directory / "model.keras")
    broken: dict[Path, str] = {}
    resizing = resizing_of(directory / "model.keras")
    probabilities = forward.probabilities(
        network, files, min(_BATCH, len(files)), broken, resizing=resizing, read=stream
    )
    good = [str(file) for file in files if file not in broken]
    if not good:
        reasons = "; ".join(f"{file}: {reason}" for file, reason in list(broken.items())[:3])
        raise UserError(f"expected at least one image, found {len(files)} files that are none: {reasons}")
    summary = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
    print(f"model: {summary['stage']}", file=sys.stderr)
    return predictions.table(good, classes, probabilities), broken


def _files_in(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = sorted((file, name) for name, file in walk(path, anywhere=True) if not name.endswith("/"))
            if aside := [name for _, name in inside if is_set_aside(name)]:
                told = f"{path}: {len(aside)} files are no images by their names: {summary(aside)}"
                print(visible(told), file=sys.stderr)
            yield from (file for file, name in inside if not is_set_aside(name))
        elif path.exists():
            yield path
        else:
            raise UserError(f"{path}: expected an image or a folder, found nothing")


def _require_names(files: Sequence[Path]) -> None:
    wrong = [file for file in files if not is_utf8(file)]
    if wrong:
        more = f", and {len(wrong) - 1} more" if wrong[1:] else ""
        raise UserError(f"{wrong[0]}: expected names of files in UTF-8: rename it{more}")


def _trained() -> str:
    """Names of the trained models."""
    names = [file.parent.name for file in sorted(MODELS.glob("*/model.keras"))]
    return ", ".join(names) or "none; run `smallset run` first"


def main() -> None:
    """Read the command line, classify, and write a table to the terminal or to a file."""
    parser = argparse.ArgumentParser(prog="smallset predict")
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    try:
        table, broken = predict(options.paths, options.model, options.csv)
        if options.csv is None:
            show(table)
        else:
            write(table, options.csv)
            print(f"{visible(options.csv)}: {len(table)} images", file=sys.stderr)
    except UserError as error:
        sys.exit(f"error: {visible(error)}")
    for file, reason in broken.items():
        print(f"left out: {visible(file)}: {visible(reason)}", file=sys.stderr)


if __name__ == "__main__":
    main()
