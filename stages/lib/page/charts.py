"""Charts of the models: how good, how trained, how sure."""

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, MultipleLocator

from stages.lib.comparison.evaluations import Evaluation, Results, called
from stages.lib.page.cautions import rank
from stages.lib.page.style import TEXT, figure, mark_of, svg

# Inches; narrow enough that the text stays readable where a telephone shows them smaller.
_WIDTH = 4.6
_CORNER = 0.2  # rates: side of the corner of the ROC curves that is shown larger


def accuracy_chart(results: Results) -> str:
    """Each model on the test images with its interval: the measure that counts and, where it differs, accuracy."""
    measures = ["balanced_accuracy", "accuracy"] if results.headline == "balanced_accuracy" else ["accuracy"]
    with figure(_WIDTH, 0.9 + 0.54 * len(results.evaluations)) as drawn:
        axes = drawn.subplots()
        for place, one in enumerate(results.evaluations):
            for offset, measure in zip((0.12, 0.36), measures, strict=False):
                _draw_interval(axes, one, measure, place + offset, measure == results.headline)
            _name_interval(axes, one, results, place - 0.22)
        axes.set_ylim(len(results.evaluations) - 0.35, -0.55)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        words = results.headline.replace("_", " ")
        axes.set_xlabel(f"{words}, %, with 95 % intervals" + ("\nhollow: accuracy" if len(measures) > 1 else ""))
        said = ", ".join(f"{one.title} {100 * one.figures[results.headline]:.1f} %" for one in results.evaluations)
        return svg(drawn, "accuracy", f"{words.capitalize()} on the test images: {said}")


def curves_chart(one: Evaluation, measure: str) -> str:
    """Loss or accuracy per epoch: training dotted, validation solid, the kept epoch marked."""
    factor, unit = (100, "%") if measure == "accuracy" else (1, "nats")
    curves, kept, color = one.curves, one.figures["best_epoch"], mark_of(one.name).color
    with figure(_WIDTH, 2.5) as drawn:
        axes = drawn.subplots()
        axes.plot(curves["epoch"], factor * curves[measure], ":", color=color, linewidth=1.8, label="training")
        axes.plot(curves["epoch"], factor * curves[f"val_{measure}"], "-", color=color, label="validation")
        axes.axvline(kept, color=TEXT, alpha=0.5, linewidth=1, linestyle="--", label=f"kept: epoch {kept}")
        axes.set_xlabel("epoch")
        axes.set_ylabel(f"{measure}, {unit}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid()
        drawn.legend(loc="outside upper left", ncols=3, handlelength=1.6, columnspacing=1.2)
        last = curves.iloc[-1]
        label = (
            f"{measure} of {called(one.name)} over {len(curves)} epochs: at the end "
            f"{factor * last[measure]:.3g} {unit} in training and {factor * last[f'val_{measure}']:.3g} {unit} on "
            f"validation; epoch {kept} is kept"
        )
        return svg(drawn, f"{measure}-{one.name}", label)


def roc_chart(results: Results) -> str:
    """ROC curves of all models, and chance."""
    with figure(_WIDTH, 4 + 0.2 * len(results.evaluations)) as drawn:
        axes = drawn.subplots()
        _draw_roc(axes, results)
        axes.plot([0, 1], [0, 1], ":", color=TEXT, alpha=0.5, linewidth=1, label="chance: area 0.500")
        drawn.legend(loc="outside lower left", handlelength=3)
        said = ", ".join(f"{one.title} {_area(one)}" for one in results.evaluations)
        return svg(drawn, "roc", f"ROC curves on the test images; areas: {said}")


def roc_corner(results: Results) -> str | None:
    """The upper left corner of the ROC curves, larger; None where fewer than two models come near it."""
    if sum((one.figures["roc_auc"] or 0) > 1 - _CORNER / 2 for one in results.evaluations) < 2:
        return None
    with figure(_WIDTH, 4) as drawn:
        axes = drawn.subplots()
        _draw_roc(axes, results)
        axes.set_xlim(-0.02 * _CORNER, _CORNER)
        axes.set_ylim(1 - _CORNER, 1 + 0.02 * _CORNER)
        axes.set_title("the upper left corner, enlarged", fontsize=10)
        return svg(drawn, "corner", "The upper left corner of the ROC curves, enlarged")


def calibration_chart(one: Evaluation) -> str:
    """Share right against confidence, with intervals, and how many images stand behind each point."""
    table, mark = one.calibration, mark_of(one.name)
    error = 100 * one.figures["ece"]
    start = 10 * int(10 * table["confidence"].min())
    with figure(4.2, 3.0) as drawn:
        upper, lower = drawn.subplots(2, 1, sharex=True, height_ratios=[4, 1])
        upper.plot([start, 100], [start, 100], ":", color=TEXT, alpha=0.6, linewidth=1, label="as sure as right")
        share, low, high = (100 * table[key] for key in ("accuracy", "low", "high"))
        upper.errorbar(
            100 * table["confidence"],
            share,
            # Rounding may leave an interval that ends a hair before its own share.
            yerr=[(share - low).clip(0), (high - share).clip(0)],
            color=mark.color,
            marker=mark.marker,
            linewidth=1.2,
            label=f"expected calibration error {error:.1f} points",
        )
        upper.set_ylabel("right, %")
        upper.set_ylim(-3, 103)
        upper.grid()
        lower.bar(100 * table["confidence"], table["images"], width=(100 - start) / 25, color=mark.color)
        lower.set_ylabel("images")
        lower.set_xlabel("confidence, %")
        lower.set_xlim(start - 1, 101)
        lower.xaxis.set_major_locator(MultipleLocator(10 if start >= 40 else 20))
        lower.yaxis.set_major_locator(MaxNLocator(2, integer=True))
        drawn.legend(loc="outside upper left", reverse=True)
        label = f"Reliability of {called(one.name)}: expected calibration error {error:.1f} points"
        return svg(drawn, f"calibration-{one.name}", label)


def _draw_roc(axes: Axes, results: Results) -> None:
    for one in results.evaluations:
        mark, label = mark_of(one.name), f"{one.title}: area {_area(one)}"
        rates = one.roc["false_positive_rate"], one.roc["true_positive_rate"]
        axes.plot(*rates, color=mark.color, linestyle=mark.line, linewidth=1.8, label=label)
    axes.set_aspect("equal")
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    axes.grid()


def _area(one: Evaluation) -> str:
    # Of test images of a single class there is none.
    area = one.figures["roc_auc"]
    return "unknown" if area is None else f"{area:.3f}"


def _draw_interval(axes: Axes, one: Evaluation, measure: str, place: float, filled: bool) -> None:
    mark = mark_of(one.name)
    low, value, high = (100 * one.figures[key] for key in (f"{measure}_low", measure, f"{measure}_high"))
    axes.errorbar(
        value,
        place,
        # Rounding may leave an interval that ends a hair before its own figure.
        xerr=[[max(0.0, value - low)], [max(0.0, high - value)]],
        color=mark.color,
        marker=mark.marker,
        markersize=7,
        markerfacecolor=mark.color if filled else "none",
        linewidth=2,
    )


def _name_interval(axes: Axes, one: Evaluation, results: Results, place: float) -> None:
    chosen = one is results.recommended
    across = axes.get_yaxis_transform()
    weight = "bold" if chosen else "normal"
    name = f"{one.title}, {rank(results)}" if chosen else one.title
    axes.text(0, place, name, transform=across, weight=weight, va="center")
    value = f"{100 * one.figures[results.headline]:.1f} %"
    axes.text(1, place, value, transform=across, weight=weight, va="center", ha="right")
