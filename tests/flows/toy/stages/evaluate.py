"""The toy's evaluation: a model is right on the first of 200 test pictures, as many as its accuracy says."""

import argparse
import csv
import json
import os
from pathlib import Path

PICTURES = int(os.environ.get("TOY_PICTURES", "200"))

parser = argparse.ArgumentParser()
parser.add_argument("--dataset")
parser.add_argument("--manifest")
parser.add_argument("--model", type=Path)
parser.add_argument("--evaluation", type=Path)
parser.add_argument("--summary", type=Path)
options = parser.parse_args()
model = json.loads((options.model / "model.keras").read_text())
options.evaluation.mkdir(parents=True, exist_ok=True)
with (options.evaluation / "predictions.csv").open("w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["path", "sha256", "label", "predicted", "p_cat", "p_dog"])
    for number in range(PICTURES):
        label, other = ("cat", "dog") if number % 2 else ("dog", "cat")
        predicted = label if number < model["accuracy"] * PICTURES else other
        table.writerow(
            [f"{number}.jpg", f"{number:064}", label, predicted, *(int(predicted == c) for c in ("cat", "dog"))]
        )
if options.summary:
    options.summary.parent.mkdir(exist_ok=True)
    value = model["accuracy"]
    figures = {"accuracy": value, "accuracy_low": value - 0.1, "accuracy_high": value + 0.1}
    options.summary.write_text(json.dumps({"recommended": options.evaluation.name} | figures))
