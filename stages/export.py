"""A trained model as files for other runtimes: `smallset export`. A command, no stage of the graph."""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from safety.checksums import checksum
from safety.text import visible
from safety.words import counted
from smallset.cli.ends import code_of
from smallset.inference import bundle
from smallset.inference.decisions import Decisions
from smallset.tables.targets import require_folder, whole_folder
from stages.lib.core.errors import UserError
from stages.lib.export.asked import FORMATS, LAYOUTS, SERVED, FormatName, Layout, Wanted
from stages.lib.images.manifest import read_subsets, require_classes
from stages.lib.networks.startup import start_tensorflow

FIGURES = "export.json"
_DATASET, _MANIFEST = Path("data/dataset"), Path("data/manifest.csv")
COLUMNS = ("", "changed", "largest", "accuracy", "95 % interval", "to Keras", "p", "MB", "ms, 1", "ms, 8")


def export(model: Path, output: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Export a trained model, tried on the test images of the project in the working directory.

    Args:
        model: directory with `model.keras` and `summary.json`.
        output: folder to write, new or empty.
        options: of the command line: format (a list of names), layout, margin, faster.

    Returns:
        What `export.json` has.

    Raises:
        UserError: no such model, other classes than those of the images, converters that cannot do it, or an exported
            model that gives other top classes; then nothing is written.
    """
    names = _names(options.format, options.layout)
    require_folder(output, "--output")
    for place in (model / "model.keras", model / "summary.json", _MANIFEST, _DATASET):
        if not place.exists():
            raise UserError(f"{place}: expected it there, found nothing: run `smallset run`, or `dvc pull`, first")
    about = bundle.read_json(model / "summary.json")
    described = bundle.read(model) if (model / bundle.DESCRIPTION).is_file() else None
    train, test = read_subsets(_DATASET, _MANIFEST, "train", "test")
    start_tensorflow()
    from stages.lib.export.exporting import export
    from stages.lib.export.source import Source

    source = Source(model / "model.keras", str(about["precision"]))
    require_classes(test, source.classes, model)
    wanted = Wanted(names, options.layout, options.margin, options.faster)
    with whole_folder(output) as partial:
        found = export(source, train, test, wanted, str(about["stage"]), partial)
        head = {
            "model": about["stage"],
            "precision": about["precision"],
            "cautions": _cautions(described, about),
            "decisions": _decisions(described),
        }
        text = json.dumps(head | found, indent=2, ensure_ascii=False) + "\n"
        (partial / FIGURES).write_text(text, encoding="utf-8")
    return head | found


def _names(asked: Sequence[FormatName | Literal["all"]], layout: Layout) -> tuple[FormatName, ...]:
    """The formats that are asked for, in one order; a server takes one."""
    served = SERVED.get(layout)
    if served is None:
        return tuple(name for name in FORMATS if name in asked or "all" in asked)
    if not {"all", served}.issuperset(asked):
        received = ", ".join(asked)
        raise UserError(f"--layout {layout}: expected --format {served}, which is what it serves. Received: {received}")
    return (served,)


def _cautions(described: bundle.Description | None, about: Mapping[str, Any]) -> list[str]:
    """What the figures and the files do not say: that the model may know the test images, that a rule has to follow."""
    found = []
    # A head that was fitted again on training and validation images has seen no test image.
    if (refit := about.get("refit")) and refit.get("on") != "validation":
        on = visible(refit.get("on"))
        found.append(f"fitted again (classifier.refit: {on}): it may know the test images, so accuracies are too high")
    if described is None:
        return found
    if described.data != checksum(_MANIFEST):
        found.append(f"of other images than those of {_MANIFEST}: it may know the test images here")
    rule = described.decisions or Decisions()
    if rule.costs is not None or rule.threshold is not None:
        found.append(
            f"the bundle predicts by its rule (decisions.criterion: {rule.criterion}), and these files give "
            f"probabilities alone, of which the highest may be another class: apply `decisions` of {FIGURES}"
        )
    if rule.unsure_below is not None or rule.unknown_above is not None:
        found.append(
            f"these files never say unsure or unknown: `decisions` of {FIGURES} has the limits, and the distance that "
            f"tells what is unknown is given by {bundle.MODEL} of the bundle alone"
        )
    return found


def _decisions(described: bundle.Description | None) -> dict[str, Any] | None:
    """The rule and the limits of a bundle, which whoever has the exported files alone would not have."""
    if described is None or described.decisions is None:
        return None
    return described.decisions.as_dict()


def _show(found: Mapping[str, Any], output: Path) -> None:
    rows = [COLUMNS, *map(cells, found["formats"])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        figures = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        print("  ".join([first.ljust(widths[0]), *figures]).rstrip())
    left_out = [{"format": name, "left_out": reason} for name, reason in found["left_out"].items()]
    for line in verdicts([*found["formats"], *left_out]):
        print(line)
    for caution in found["cautions"]:
        print(f"caution: {caution}")
    print(f"{visible(output)}: tried on {counted(found['test_images'], 'test image')}; {FIGURES} has all figures")


def verdicts(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines that say whether int8 is usable, and why a format is missing."""
    lines = []
    for row in rows:
        if "left_out" in row:
            lines.append(f"{row['format']}: left out: {visible(row['left_out'])}")
        elif "usable" in row:
            lines.append(f"{row['format']}: {'usable' if row['usable'] else 'not usable: ' + row['why_not']}")
    return lines


def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    """A row of `export.json` under `COLUMNS`."""
    accuracy, difference = row["accuracy"], row["difference"]
    times = [f"{row[key]:.1f}" if key in row else "-" for key in ("milliseconds_1", "milliseconds_8")]
    if row["format"].startswith("keras"):
        name, size = row["format"].replace("_", " "), "-"
    else:
        name, size = row["format"], f"{row['bytes'] / 1e6:.1f}"
    return (
        name,
        f"{row['changed']:,}",
        f"{row['largest_difference']:.1g}",
        f"{accuracy['value']:.4f}",
        f"{accuracy['low']:.4f} to {accuracy['high']:.4f}",
        f"{difference['value']:+.4f}",
        f"{row['p_value']:.2g}",
        size,
        *times,
    )


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise ValueError(text)
    return value


def _times(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def main() -> None:
    """Export as the command line says, and show what was found."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(prog="smallset export", usage="smallset export [OPTIONS]; --help names them")
    parser.add_argument("--directory", type=Path, required=True, help="of the model")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--format", choices=(*FORMATS, "all"), action="append", required=True)
    parser.add_argument("--layout", choices=LAYOUTS, default="plain")
    parser.add_argument("--margin", type=_share, default=0.01)
    parser.add_argument("--faster", type=_times, default=1.5)
    options = parser.parse_args()

    def work() -> int:
        _show(export(options.directory, options.output, options), options.output)
        return 0

    sys.exit(code_of(work))


if __name__ == "__main__":
    main()
