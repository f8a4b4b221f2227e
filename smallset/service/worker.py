"""The process that reads the images of a service: as `smallset.decoding.worker`, with limits of a request."""

import signal
import sys
from pathlib import Path
from typing import Any

from smallset.decoding.worker import Answer, decoded, main
from smallset.images.broken import BrokenImage
from smallset.images.decode import size_of


def within_limits(order: dict[str, Any]) -> Answer:
    """The pixels of the image at `path`, if it has at most `most_pixels`; the process ends after `seconds`."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, order["seconds"])  # its signal ends the process, whatever a decoder does
    try:
        width, height = size_of(Path(order["path"]))
        if width * height > order["most_pixels"]:
            most = order["most_pixels"] / 1e6
            raise BrokenImage(f"{width} x {height} pixels, expected at most {most:g} million: send it smaller")
        return decoded(order)
    finally:
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main({"decode": within_limits})
