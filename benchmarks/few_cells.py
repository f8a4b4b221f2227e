"""The finished cells of `benchmarks.few_images`, and what they say together."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Literal

from benchmarks import tables
from stages.lib.core.errors import UserError

Measure = Literal["accuracy", "log_loss"]
MEASURES: tuple[Measure, ...] = ("accuracy", "log_loss")


@dataclass(frozen=True)
class Result:
    """A method measured once.

    Attributes:
        images: for training, of each class. tested: images. seconds: of the method, features not counted.
        identity: of everything that decides the result but the code.
        code: of the stages and of the benchmark; equal for equal code.
    """

    task: str
    method: str
    images: int
    seed: int
    accuracy: float
    log_loss: float
    tested: int
    seconds: float
    identity: str
    code: str


def read(file: Path) -> list[Result]:
    """The cells of a file of JSON lines; none where there is no file.

    Raises:
        UserError: a line is no cell.
    """
    found = []
    if file.exists():
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            try:
                found.append(Result(**json.loads(line)))
            except (ValueError, TypeError):
                raise UserError(f"{file}: line {number}: expected a finished cell. Received: {line[:80]!r}") from None
    return found


def append(file: Path, result: Result) -> None:
    """Add a finished cell."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as target:
        target.write(json.dumps(asdict(result)) + "\n")


@dataclass(frozen=True)
class Figure:
    """A method over all seeds, beside the best one of its task, number of images and measure.

    Attributes:
        sd: standard deviation between seeds; None of one.
        behind: how much worse than the best, paired over the seeds that both have; 0 of the best.
        error: standard error of that; None of fewer than two pairs.
        verdict: "best"; "within", no further behind than its standard error; "behind"; or "unknown", from one pair.
    """

    task: str
    method: str
    images: int
    measure: Measure
    seeds: int
    mean: float
    sd: float | None
    behind: float
    error: float | None
    verdict: Literal["best", "within", "behind", "unknown"]


def figures(results: Iterable[Result]) -> list[Figure]:
    """Every method beside the best one; the same seeds are the same images, so differences are paired."""
    columns: dict[tuple[str, int], dict[str, dict[int, Result]]] = {}
    for one in results:
        columns.setdefault((one.task, one.images), {}).setdefault(one.method, {})[one.seed] = one
    return [
        figure
        for (task, images), methods in columns.items()
        for measure in MEASURES
        for figure in _compared(task, images, measure, methods)
    ]


def _compared(task: str, images: int, measure: Measure, methods: dict[str, dict[int, Result]]) -> Iterable[Figure]:
    # So that more is better of both.
    sign = 1 if measure == "accuracy" else -1
    values = {name: {seed: getattr(one, measure) for seed, one in cells.items()} for name, cells in methods.items()}
    # One with fewer seeds had other images: it may only be the best where nobody has more.
    most = max(map(len, values.values()))
    best = max(
        (name for name in values if len(values[name]) == most), key=lambda name: sign * mean(values[name].values())
    )
    for name, own in values.items():
        pairs = [sign * (values[best][seed] - own[seed]) for seed in sorted(own.keys() & values[best].keys())]
        behind = mean(pairs) if pairs else 0.0
        error = stdev(pairs) / sqrt(len(pairs)) if len(pairs) > 1 else None
        verdict: Any = "unknown" if error is None else "within" if behind <= error else "behind"
        spread = stdev(own.values()) if len(own) > 1 else None
        yield Figure(
            task,
            name,
            images,
            measure,
            len(own),
            mean(own.values()),
            spread,
            behind,
            error,
            "best" if name == best else verdict,
        )


def show(found: Sequence[Figure], methods: Sequence[str], ours: Sequence[str], seeds: int) -> None:
    """A table for each task and measure: methods below each other, numbers of images beside each other.

    Args:
        found: what is shown.
        methods: in their order.
        ours: of which it is said how far they are behind the best.
        seeds: that were asked for; where fewer are measured, a cell says how many.
    """
    for task in dict.fromkeys(one.task for one in found):
        for measure in MEASURES:
            cells = {(one.method, one.images): one for one in found if one.task == task and one.measure == measure}
            counts = sorted({images for _, images in cells})
            rows = [
                (name, *(_cell(cells.get((name, count)), seeds) for count in counts))
                for name in methods
                if any((name, count) in cells for count in counts)
            ]
            what = "accuracy, %" if measure == "accuracy" else "log loss, nats"
            print(f"{task}: {what}, mean and sd over {seeds} seeds, or those in brackets")
            print("* best, ~ within the standard error of the difference to it")
            tables.show(["training images a class", *map(str, counts)], rows, width=130)
            for name in ours:
                _say_behind(name, [cells[name, count] for count in counts if (name, count) in cells])
            print()


def _cell(figure: Figure | None, seeds: int) -> str:
    if figure is None:
        return "-"
    spread = "" if figure.sd is None else f" +- {_number(figure.sd, figure.measure)}"
    mark = {"best": " *", "within": " ~"}.get(figure.verdict, "  ")
    fewer = f" ({figure.seeds})" if figure.seeds < seeds else ""
    return f"{_number(figure.mean, figure.measure)}{spread}{fewer}{mark}"


def _number(value: float, measure: Measure) -> str:
    return f"{100 * value:.1f}" if measure == "accuracy" else f"{value:.3f}"


def _say_behind(name: str, row: Sequence[Figure]) -> None:
    told = [
        f"at {one.images} by {_number(one.behind, one.measure)} +- {_number(one.error, one.measure)}"
        for one in row
        if one.verdict == "behind" and one.error is not None
    ]
    if told:
        print(f"{name} is behind the best: {', '.join(told)}")
    elif measured := [str(one.images) for one in row if one.seeds > 1 and one.verdict != "unknown"]:
        print(f"{name} is the best or within the standard error of the difference to it at {', '.join(measured)}")
