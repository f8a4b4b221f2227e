"""Accuracy and log loss from few images: ours beside what else a person could take, on the same images.

    python -m benchmarks.few_images models/backbone dogs-vs-cats-5000.zip:180 dogs-vs-cats-5000.zip:64 \
flowers-1000.zip:160 --cache few_images --minutes 10
    python -m benchmarks.few_images models/backbone flowers-1000.zip:160 --cache few_images --methods default,svm --json

A task is an archive of images and their size in pixels; models/backbone is a preset directory. Each method gets the
same training images of each class, and where it needs images to validate on, the same half as many; up to 600 more of
each class are tested. Each seed draws all of them anew. Methods:

default             the head of `feature_extraction` as params.yaml has it, of mirrored images too; no validation images
logistic_head       the same with `head: logistic`: no trained head is judged beside it
fine_tuned          the stage of this name as images of one's own get it, with those before it, and the temperature of
                    its bundle by the validation images
published_head      the head of `feature_extraction` in profiles/dogs_vs_cats.yaml to the letter: 10 epochs, which are
                    only 10 steps where 20 images are one batch
logistic_regression scikit-learn's, strength by cross-validation, on features of the images; no validation images
logistic_regression_mirrored  the same on features of the images and of the mirrored images, as `default` learns
svm                 scikit-learn's, kernel and strength by cross-validation, likewise
nearest_neighbours  scikit-learn's, their number by cross-validation, likewise
kerashub            `ImageClassifier.fit` as it comes compiled (Adam, 5e-5), all of it training: batches of 16,
                    20 epochs and 300 steps at least, the best epoch on validation images. Where a preset has its
                    batch normalisation folded into its kernels, it gets the statistics of the training images first
kerashub_frozen     the same, batch normalisation frozen
notebook            `feature_extraction_augmented`, then `fine_tuned` (Adam, 1e-5), in profiles/dogs_vs_cats.yaml;
                    likewise, 30 epochs each

Features and finished cells are kept in the folder `--cache`; a cell is measured once, until its images, backbone or
parameters change (after a change of the code: delete cells.jsonl). `--minutes` ends after the cell that reaches them.
Of archives with 1,000 images a class in each half, only half is used: the recipe of `fine_tuned`, but for its number
of steps, was chosen on those whose file name has a sha256 that begins with 0 to 7.
"""

import gc
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import few_cells
from benchmarks.few_code import MEASURING, code_of
from benchmarks.few_features import Cell
from benchmarks.few_methods import METHODS, OURS, sections_of
from benchmarks.few_tasks import Task, read_task
from benchmarks.options import Json
from flows.errors import FlowError
from stages.lib.core.errors import UserError
from stages.lib.core.params import Params
from stages.lib.evaluation.metrics import log_loss
from stages.lib.networks.startup import start_tensorflow

COUNTS, SEEDS = "10,25,50,100,250", 5

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Table:
    """The cells that are wanted."""

    tasks: list[Task]
    methods: list[str]
    counts: list[int]
    seeds: int
    sections: dict[str, dict[str, Params]]
    code: str

    def cells(self) -> Iterator[tuple[Task, str, int, int, str]]:
        """Task, method, images, seed and identity of each; all of a seed first, so that pairs are soon whole."""
        for task in self.tasks:
            for seed in range(self.seeds):
                for count in filter(task.has_room_for, self.counts):
                    for name in self.methods:
                        deciding = {
                            key: self.sections[name][key].model_dump(warnings=False) for key in METHODS[name].deciding
                        }
                        shaping = [task.identity, task.common.model_dump(), name, count, seed, deciding]
                        shaping += [METHODS[name].revision] if METHODS[name].revision else []
                        text = json.dumps(shaping, sort_keys=True)
                        yield task, name, count, seed, hashlib.sha256(text.encode()).hexdigest()

    def measure(self, task: Task, name: str, count: int, seed: int, identity: str) -> few_cells.Result:
        """Let a method learn, and test it."""
        import keras

        split = task.split(count, seed)
        cell = Cell(task, split, self.sections[name], task.features, seed)
        start = time.perf_counter()
        found = METHODS[name].work(cell)
        seconds = round(time.perf_counter() - start, 2)
        labels = task.labels[split.test]
        accuracy = float((found.argmax(axis=1) == labels).mean())
        keras.backend.clear_session()
        gc.collect()
        return few_cells.Result(
            task.name, name, count, seed, accuracy, log_loss(labels, found), len(labels), seconds, identity, self.code
        )


@app.command()
def main(
    preset: Annotated[Path, typer.Argument(help="Directory of a backbone.", show_default=False)],
    tasks: Annotated[list[str], typer.Argument(help="ARCHIVE:PIXELS, one or more.", show_default=False)],
    cache: Annotated[Path, typer.Option(help="Folder for features and finished cells.", show_default=False)],
    methods: Annotated[str, typer.Option(help="Which, with commas between them.")] = ",".join(METHODS),
    images: Annotated[str, typer.Option(help="For training, of each class; with commas between them.")] = COUNTS,
    seeds: Annotated[int, typer.Option(min=1, help="How often each cell is measured.")] = SEEDS,
    minutes: Annotated[float, typer.Option(min=0, help="No cell is begun after so many; 0: show what is there.")] = 1e9,
    as_json: Json = False,
) -> None:
    """Measure the cells that are missing, and print all."""
    start = time.monotonic()
    try:
        start_tensorflow(deterministic=True)
        table = _table(preset.resolve(), tasks, cache.resolve(), methods, images, seeds)
        file = cache.resolve() / "cells.jsonl"
        done = {one.identity: one for one in few_cells.read(file)}
        missing = [cell for cell in table.cells() if cell[-1] not in done]
        for task, name, count, seed, identity in missing:
            if time.monotonic() - start >= 60 * minutes:
                break
            print(f"{task.name}: {name}, {count} images a class, seed {seed}", file=sys.stderr)
            done[identity] = table.measure(task, name, count, seed, identity)
            few_cells.append(file, done[identity])
    except (UserError, FlowError) as error:
        sys.exit(f"error: {error}")
    _show([done[cell[-1]] for cell in table.cells() if cell[-1] in done], table, as_json)


def _table(preset: Path, tasks: list[str], cache: Path, methods: str, images: str, seeds: int) -> Table:
    names = methods.split(",")
    for name in names:
        if name not in METHODS:
            raise UserError(f"--methods: expected some of {', '.join(METHODS)}. Received: {name!r}")
    counts = images.split(",")
    for count in counts:
        if not count.isdecimal() or int(count) < 4:
            raise UserError(f"--images: expected numbers from 4 on. Received: {count!r}")
    of_profile = {profile: sections_of(profile) for profile in {METHODS[name].profile for name in names}}
    sections = {name: of_profile[METHODS[name].profile] for name in names}
    common: Any = sections_of(None)["common"]
    read = [read_task(asked, preset, cache, common) for asked in tasks]
    for task in read:
        if not any(map(task.has_room_for, map(int, counts))):
            raise UserError(
                f"{task.name}: its classes of {task.smallest} images are too small for {images} to train on"
            )
    return Table(read, names, sorted(set(map(int, counts))), seeds, sections, code_of(MEASURING))


def _show(results: list[few_cells.Result], table: Table, as_json: bool) -> None:
    found = few_cells.figures(results)
    ours = [name for name in OURS if name in table.methods]
    missing = sum(1 for _ in table.cells()) - len(results)
    codes = sorted({one.code for one in results})
    if as_json:
        print(
            json.dumps(
                {
                    "tasks": {task.name: {"classes": task.classes, "images": len(task.names)} for task in table.tasks},
                    "missing": missing,
                    "codes": codes,
                    "figures": [asdict(one) for one in found],
                    "cells": [asdict(one) for one in results],
                }
            )
        )
        return
    few_cells.show(found, table.methods, ours, table.seeds)
    for task in table.tasks:
        if left_out := [str(count) for count in table.counts if not task.has_room_for(count)]:
            print(f"{task.name}: left out {', '.join(left_out)} images a class: classes have {task.smallest}")
    if missing:
        print(f"{missing} cells are not measured yet: run again, or for more --minutes")
    if len(codes) > 1:
        print(f"the cells were measured by {len(codes)} versions of the code: delete cells.jsonl to measure all by one")


if __name__ == "__main__":
    app()
