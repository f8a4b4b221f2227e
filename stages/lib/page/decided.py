"""When the recommended model does not know, as the stage `decisions` chose and measured it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from stages.lib.comparison.evaluations import Results
from stages.lib.comparison.wording import percent
from stages.lib.core.outputs import is_disabled
from stages.lib.evaluation.metrics import accuracy, balanced_accuracy
from stages.lib.page.style import TEXT, figure, mark_of, svg


@dataclass(frozen=True)
class Decided:
    """What the page shows of it.

    Attributes:
        chosen: temperature, rule and limits, as decisions.json has them.
        figures: as figures.json has them.
        of_class: name of the class that the rule is of; None: of none.
        chart: accuracy by the share of images that is answered, the surest first.
        answers: answers.csv, what is said of each test image.
    """

    chosen: dict[str, Any]
    figures: dict[str, Any]
    of_class: str | None
    chart: str
    answers: pd.DataFrame

    @property
    def strangers(self) -> float:
        """Share of the drawn images of something else that is called unknown."""
        kinds = self.figures["foreign"]
        return float(sum(one["unknown"] * one["images"] for one in kinds) / max(1, sum(one["images"] for one in kinds)))


def decided(directory: Path, name: str, classes: list[str]) -> Decided | None:
    """Read what the stage `decisions` wrote.

    Args:
        directory: of the stage.
        name: of the recommended model.
        classes: of it.

    Returns:
        None where the stage is turned off, has not run yet, or has run for another model.
    """
    file = directory / "figures.json"
    if is_disabled(directory) or not file.is_file():
        return None
    figures = json.loads(file.read_text(encoding="utf-8"))
    if figures["model"] != name:
        return None
    chosen = json.loads((directory / "decisions.json").read_text(encoding="utf-8"))
    place = chosen["of_class"]
    answers = pd.read_csv(directory / "answers.csv", dtype={"label": str, "predicted": str}, na_filter=False)
    return Decided(chosen, figures, None if place is None else classes[place], _chart(figures, name), answers)


def cautions_of(limits: Decided | None, results: Results) -> list[str]:
    """Say how good the answers of the bundle are, where its rule names another class than the likeliest.

    Args:
        limits: of the recommended model; None where nothing was decided.
        results: of the models, whose figures are all of the likeliest class.

    Returns:
        One sentence; none where the likeliest class is the answer.
    """
    if limits is None or limits.figures["rule"] is None:
        return []
    labels, predicted = (limits.answers[column].to_numpy(str) for column in ("label", "predicted"))
    found = accuracy(labels == predicted) if results.headline == "accuracy" else balanced_accuracy(labels, predicted)
    of_class = "" if limits.of_class is None else f" of {limits.of_class}"
    return [
        f"smallset predict names a class by a rule (decisions.criterion: {limits.chosen['criterion']}{of_class}), by "
        f"which its {results.words} on the test images is {percent(found.value)} (95 % interval "
        f"{100 * found.low:.1f} to {percent(found.high)}). Figures of models are of the likeliest class."
    ]


def _chart(figures: dict[str, Any], name: str) -> str:
    share, right = zip(*((100 * one, 100 * other) for one, other in figures["curve"]), strict=True)
    with figure(4.6, 2.8) as drawn:
        axes = drawn.subplots()
        axes.plot(share, right, "-", color=mark_of(name).color, label="right, of those answered")
        sure = figures["sure"]
        if sure["accuracy"] is not None:
            at = [100 * sure["share"]], [100 * sure["accuracy"]]
            axes.plot(*at, "o", color=TEXT, label="with these limits", linestyle="none")
        axes.set_xlabel("answered, the surest first, % of test images")
        axes.set_ylabel("right, %")
        axes.grid()
        drawn.legend(loc="outside upper left", ncols=2)
        return svg(drawn, "decided", "Share of right answers by the share of test images that is answered")
