"""Whether a terminal draws, and bars of other tools where it does not."""

import logging
import os
import sys

_BARS = ("dvc.progress", "dvc_data.callbacks")


def is_lively() -> bool:
    """Whether stderr is a terminal that draws, and whoever sits there wants it to (https://no-color.org)."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in ("dumb", "unknown")
    return wanted and sys.stderr.isatty()


def silence_bars() -> None:
    """Have DVC draw no bars, of which it draws some for each file, up to the end of the process."""
    for name in _BARS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
