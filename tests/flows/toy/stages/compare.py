"""The toy's comparison, for tests that are not about it: worse is what is right on ten images less, of 200."""

import argparse
import csv
import json
from pathlib import Path

parser = argparse.ArgumentParser()
for name in ("--before", "--after"):
    parser.add_argument(name, type=Path)
for name in ("--before-name", "--after-name", "--format"):
    parser.add_argument(name)
options = parser.parse_args()


def right(folder: Path) -> int:
    [file] = folder.glob("evaluation/*/predictions.csv")
    return sum(row["label"] == row["predicted"] for row in csv.DictReader(file.open(newline="")))


before, after = right(options.before), right(options.after)
verdict = "worse" if after <= before - 10 else "better" if after >= before + 10 else "no difference shown"
difference = (after - before) / 200
print(
    json.dumps(
        {
            "before": {"name": options.before_name},
            "images": 200,
            "recommended": {
                "verdict": verdict,
                "difference": {"value": difference, "low": difference - 0.02, "high": difference + 0.02},
                "lower_bound": difference - 0.02,
            },
            "verdict": f"{before} right before, {after} after",
        }
    )
)
