"""Charts of the report as SVG that takes its text colour from the page, so that it suits light and dark."""

import io
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stages.lib.evaluations import Evaluation

# Okabe and Ito's palette (2008), told apart by colour-blind people as well.
_PALETTE = ("#E69F00", "#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#0072B2")
# Stands for the page's text colour until the chart is written.
_TEXT = "#010203"
_STYLE = {
    "axes.edgecolor": _TEXT,
    "axes.labelcolor": _TEXT,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "font.family": "sans-serif",
    "font.size": 10,
    "grid.alpha": 0.25,
    "grid.color": _TEXT,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "smallset",
    "text.color": _TEXT,
    "xtick.color": _TEXT,
    "ytick.color": _TEXT,
}


def color_of(evaluations: Sequence[Evaluation], name: str) -> str:
    """The colour of a model, the same in every chart."""
    return _PALETTE[[one.name for one in evaluations].index(name) % len(_PALETTE)]


def accuracy_chart(evaluations: Sequence[Evaluation]) -> str:
    """Accuracy of each model on the test pictures, with its interval."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7, 0.9 + 0.42 * len(evaluations)), layout="constrained")
        axes = figure.subplots()
        for place, one in enumerate(evaluations):
            low, value, high = (100 * one.figures[key] for key in ("accuracy_low", "accuracy", "accuracy_high"))
            error = [[value - low], [high - value]]
            axes.errorbar(value, place, xerr=error, fmt="o", capsize=4, color=color_of(evaluations, one.name))
        axes.set_yticks(range(len(evaluations)), [one.name for one in evaluations])
        axes.invert_yaxis()
        axes.set_xlabel("accuracy on the test pictures, %, with its 95 % interval")
        axes.grid(axis="x")
        return _svg(figure)


def curves_chart(evaluation: Evaluation, color: str) -> str:
    """Loss and accuracy per epoch: training dotted, validation solid, the kept epoch marked."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7, 2.6), layout="constrained")
        for axes, measure, factor, label in zip(
            figure.subplots(1, 2), ("loss", "accuracy"), (1, 100), ("loss, nats", "accuracy, %"), strict=True
        ):
            _draw_curves(axes, evaluation, measure, factor, color)
            axes.set_ylabel(label)
        return _svg(figure)


def roc_chart(evaluations: Sequence[Evaluation], curves: Sequence[tuple[np.ndarray, np.ndarray]]) -> str:
    """ROC curves of all models.

    Args:
        curves: false and true positive rates of each model.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(4.6, 3.6), layout="constrained")
        axes = figure.subplots()
        for one, (false, true) in zip(evaluations, curves, strict=True):
            label = f"{one.name}, area {one.figures['roc_auc']:.3f}"
            axes.plot(false, true, color=color_of(evaluations, one.name), label=label)
        axes.plot([0, 1], [0, 1], ":", color=_TEXT, alpha=0.4)
        axes.set_xlabel("false positive rate")
        axes.set_ylabel("true positive rate")
        axes.legend(frameon=False, fontsize=8, loc="lower right")
        return _svg(figure)


def _draw_curves(axes: Axes, evaluation: Evaluation, measure: str, factor: float, color: str) -> None:
    curves, best = evaluation.curves, evaluation.figures["best_epoch"]
    axes.plot(curves["epoch"], factor * curves[measure], ":", color=color, label="training")
    axes.plot(curves["epoch"], factor * curves[f"val_{measure}"], "-", color=color, label="validation")
    axes.axvline(best, color=_TEXT, alpha=0.4, linewidth=1, label=f"kept: epoch {best}")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid()
    axes.legend(frameon=False, fontsize=8)


def _svg(figure: Figure) -> str:
    file = io.StringIO()
    # Without a date, so that the same figures give the same report.
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()[file.getvalue().index("<svg") :].replace(_TEXT, "currentColor")
