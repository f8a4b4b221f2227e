"""When the recommended model does not know, as the stage `decisions` chose and measured it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from stages.lib.core.outputs import is_disabled
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
