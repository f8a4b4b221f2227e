"""The toy's evaluation: a model is right on the first of 200 test images, as many as its accuracy says.

TOY_CATS: so many cats come first, then dogs; else cats and dogs in turns. TOY_WRONG, and TOY_WRONG_CLASSIFIER of the
model in use, which the gate evaluates: "0-4,40-76", the images that it is wrong on. With a summary it also writes the
manifest. `source` may say `moved`, a number of images, from the first on, that have the other class today; a model
has learnt the labels of its own source. `kept`: so many images, the first ones, are in the manifest.
"""

import argparse
import csv
import json
import os
from pathlib import Path

IMAGES = int(os.environ.get("TOY_IMAGES", "200"))
CATS = os.environ.get("TOY_CATS")

parser = argparse.ArgumentParser()
parser.add_argument("--dataset")
parser.add_argument("--manifest", type=Path)
parser.add_argument("--model", type=Path)
parser.add_argument("--evaluation", type=Path)
parser.add_argument("--metrics", type=Path)
parser.add_argument("--summary", type=Path)
options = parser.parse_args()
today = json.loads(Path("source").read_text())
model = json.loads((options.model / "model.keras").read_text())
ranges = os.environ.get("TOY_WRONG_CLASSIFIER" if options.evaluation.name == "classifier" else "TOY_WRONG", "")
wrong = {number for part in ranges.split(",") if part for number in range(*map(int, part.split("-")))}
options.evaluation.mkdir(parents=True, exist_ok=True)
with (options.evaluation / "predictions.csv").open("w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["path", "sha256", "label", "predicted", "p_cat", "p_dog"])
    for number in range(IMAGES):
        label, other = ("cat", "dog") if (number < int(CATS) if CATS else number % 2) else ("dog", "cat")
        answer = {False: (label, other), True: (other, label)}
        learnt = answer[number < model.get("moved", 0)]
        label = answer[number < today.get("moved", 0)][0]
        is_wrong = number in wrong if wrong else number >= model["accuracy"] * IMAGES
        predicted = learnt[is_wrong]
        table.writerow(
            [
                f"{number}.jpg",
                f"{number + 1000 * int(CATS or 0):064}",
                label,
                predicted,
                *(int(predicted == c) for c in ("cat", "dog")),
            ]
        )
if options.summary:
    options.summary.parent.mkdir(exist_ok=True)
    options.manifest.parent.mkdir(exist_ok=True)
    value = model["accuracy"]
    figures = {"accuracy": value, "accuracy_low": max(0.0, value - 0.1), "accuracy_high": min(1.0, value + 0.1)}
    options.summary.write_text(json.dumps({"recommended": options.evaluation.name} | figures))
    with options.manifest.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "class", "subset", "sha256"])
        rows = csv.DictReader((options.evaluation / "predictions.csv").open(newline=""))
        for row in list(rows)[: today.get("kept", IMAGES)]:
            table.writerow([row["path"], row["label"], "test", row["sha256"]])
