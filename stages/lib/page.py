"""The page of the report: a template, its style, and nothing from elsewhere."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

_TEMPLATE = Path(__file__).with_name("report.html")
_STYLE = Path(__file__).with_name("report.css")


def render(content: dict[str, Any]) -> str:
    """Fill the template; names of files and classes are escaped.

    Args:
        content: what the template names; a missing name is an error.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["percent"] = lambda share, digits=1: f"{100 * share:.{digits}f} %"
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["p_value"] = lambda p: "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
    style = _STYLE.read_text(encoding="utf-8")
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(content | {"style": style})
