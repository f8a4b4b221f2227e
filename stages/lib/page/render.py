"""The page of the report: templates, style and script in one file, and nothing from elsewhere."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from safety.text import shown as shown_text
from stages.lib.comparison import wording
from stages.lib.page.sections import SECTIONS

_FOLDER = Path(__file__).with_name("templates")
_TEMPLATE, _STYLE, _SCRIPT = "report.html", "report.css", "report.js"
_SPACE = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"


def render(content: dict[str, Any]) -> str:
    """Fill the templates; names of files and classes are escaped.

    Args:
        content: what the templates name; a missing name is an error.
    """
    style, script = ((_FOLDER / name).read_text(encoding="utf-8").strip() for name in (_STYLE, _SCRIPT))
    # The page allows itself this one script: nothing that a name may smuggle in would run, or reach a network.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    shown = [section for section in SECTIONS if not section.needs or content[section.needs] is not None]
    own: dict[str, Any] = {"style": Markup(style), "script": Markup(script), "script_digest": digest}
    own |= {"sections": shown, "shown": {section.key: section.title for section in shown}}
    return _environment().get_template(_TEMPLATE).render(content | own)


@cache
def _environment() -> Environment:
    """The templates, compiled once."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_seen,
    )
    environment.filters |= {
        "percent": percent,
        "count": lambda number: f"{number:,}",
        "signed": signed,
        "p_value": p_value,
        "words": lambda name: name.replace("_", " "),
        "breakable": breakable,
        "sentence": lambda text: text[:1].upper() + text[1:],
    }
    return environment


def _seen(value: Any) -> Any:
    """A value of a template; of text each character that is not seen or turns the direction of writing as an escape."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.replace(_SPACE, " ").isprintable():
        return value
    return shown_text(value)


def percent(share: float, digits: int = 1) -> str:
    """A share in percent that no line breaks apart."""
    return wording.percent(share, digits).replace(" ", _SPACE)


def signed(difference: float) -> str:
    """A difference of shares in points, with its sign."""
    text = f"{100 * difference:+.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", _MINUS)


def p_value(value: float) -> str:
    """A p-value that no line breaks apart."""
    return wording.p_value(value).replace(" ", _SPACE)


def breakable(name: str) -> Markup:
    """A name that may break after each `_`, `/` and `.`."""
    text = str(escape(_seen(name)))
    for letter in "_/.":
        text = text.replace(letter, f"{letter}<wbr>")
    return Markup(text)
