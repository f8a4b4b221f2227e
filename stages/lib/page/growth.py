"""The learning curve: how good the procedure is with how many images."""

from collections.abc import Mapping
from typing import Any

from matplotlib.ticker import FuncFormatter, NullFormatter

from stages.lib.comparison.wording import percent
from stages.lib.page.style import figure, mark_of, svg


def growth_chart(found: Mapping[str, Any], model: str, said: str) -> str:
    """The learning curve, with its intervals, and what is predicted for twice the images.

    Args:
        found: figures of the stage `cross_validation`.
        model: whose procedure they are of.
        said: what is predicted, in a sentence.
    """
    mark, words = mark_of(model), str(found["measure"]).replace("_", " ")
    curve = found["curve"]
    with figure(4.6, 2.8) as drawn:
        axes = drawn.subplots()
        _draw(axes, curve, color=mark.color, marker=mark.marker, linestyle="-", label="cross-validation")
        ticks = [one["images"] for one in curve]
        if twice := found["twice"]:
            then = {"images": 2 * ticks[-1], **{key: twice[key] for key in ("value", "low", "high")}}
            style = {"linestyle": ":", "markerfacecolor": "none", "label": "predicted"}
            _draw(axes, [then], color=mark.color, marker=mark.marker, **style)
            axes.plot(
                *zip(*[(one["images"], 100 * one["value"]) for one in (curve[-1], then)], strict=True),
                ":",
                color=mark.color,
            )
            ticks.append(then["images"])
        axes.set_xscale("log")
        axes.set_xticks(ticks, minor=False)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("images trained on")
        axes.set_ylabel(f"{words}, %")
        axes.grid()
        drawn.legend(loc="outside upper left", ncols=2)
        known = ", ".join(f"{percent(one['value'])} with {one['images']:,.0f}" for one in curve)
        return svg(drawn, "growth", f"{words.capitalize()} by images trained on: {known}. {said}")


def _draw(axes: Any, rows: list[dict[str, float]], **style: Any) -> None:
    value, low, high = ([100 * one[key] for one in rows] for key in ("value", "low", "high"))
    below = [max(0.0, one - end) for one, end in zip(value, low, strict=True)]
    above = [max(0.0, end - one) for one, end in zip(value, high, strict=True)]
    axes.errorbar([one["images"] for one in rows], value, yerr=[below, above], linewidth=1.6, **style)
