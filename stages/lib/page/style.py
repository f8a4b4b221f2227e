"""How the charts of the report look: one colour, marker and line per model, text in the colour of the page."""

import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from stages.lib.comparison.evaluations import DESCRIPTIONS

# Stands for the page's text colour until the chart is written.
TEXT = "#010203"
_STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": TEXT,
    "axes.labelcolor": TEXT,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "errorbar.capsize": 3,
    "font.family": "sans-serif",
    "font.size": 10,
    "grid.alpha": 0.15,
    "grid.color": TEXT,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.markeredgecolor": TEXT,
    "lines.markeredgewidth": 0.6,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "smallset",
    "text.color": TEXT,
    "text.parse_math": False,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
}


@dataclass(frozen=True)
class Mark:
    """How a model is told from the others, with or without colour.

    Attributes:
        marker: as matplotlib names them.
        line: as matplotlib names them.
        outline: the marker as an SVG path in a box of 12 x 12.
    """

    color: str
    marker: str
    line: Any
    outline: str


# The colours of Okabe and Ito (2008), told apart by colour-blind people as well.
_MARKS = (
    Mark("#E69F00", "o", "-", "M6 1.2a4.8 4.8 0 1 0 0 9.6a4.8 4.8 0 1 0 0-9.6z"),
    Mark("#56B4E9", "s", (0, (5, 1.5)), "M1.7 1.7h8.6v8.6h-8.6z"),
    Mark("#009E73", "^", (0, (3, 1, 1, 1)), "M6 .9l5.3 9.6h-10.6z"),
    Mark("#D55E00", "D", (0, (1.5, 1)), "M6 .3l5.7 5.7l-5.7 5.7l-5.7-5.7z"),
    Mark("#CC79A7", "v", "-", "M6 11.1l-5.3-9.6h10.6z"),
    Mark("#0072B2", "P", (0, (6, 1, 1, 1, 1, 1)), "M4 .8h4v3.2h3.2v4h-3.2v3.2h-4v-3.2h-3.2v-4h3.2z"),
)


def mark_of(name: str) -> Mark:
    """The mark of a model: the same in every chart and every report, whichever models are turned off."""
    known = list(DESCRIPTIONS)
    return _MARKS[known.index(name)] if name in known else _MARKS[-1]


@contextmanager
def figure(width: float, height: float) -> Iterator[Figure]:
    """Yield a figure of this size, in inches, in the style of the report."""
    with mpl.rc_context(_STYLE):
        yield Figure(figsize=(width, height), layout="constrained")


def svg(drawn: Figure, key: str, label: str) -> str:
    """A figure as an element of the page.

    Args:
        drawn: the figure.
        key: unique in the page.
        label: what it shows, for whoever does not see it.
    """
    file = io.StringIO()
    # Without a date, so that the same figures give the same report.
    drawn.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = file.getvalue()
    text = text[text.index("<svg") :].strip().replace(TEXT, "currentColor")
    # These would count for the whole page: rules of style, and names that another chart uses as well.
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    named = set(re.findall(r"(?:href=\"|url\()#([^\")]+)", text))
    text = re.sub(r' id="([^"]+)"', lambda found: f' id="{key}-{found[1]}"' if found[1] in named else "", text)
    text = re.sub(r"(href=\"|url\()#", rf"\1#{key}-", text)
    return text.replace("<svg", f'<svg role="img" aria-label="{html.escape(label)}"', 1)
