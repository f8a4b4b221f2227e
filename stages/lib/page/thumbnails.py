"""Images inside the report: small copies, as part of the page."""

import base64
import io
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from PIL import Image

from stages.lib.images.decode import DECODING_THREADS, upright

SIDE = 160  # pixels
_QUALITY = 80


def embedded(source: Path | bytes, side: int = SIDE) -> str:
    """An image as a data address: a JPEG of at most `side` pixels a side."""
    image = upright(source, enough=2 * side)
    times = side // max(image.size)
    if times > 1:
        # Whole pixels: a browser would blur an image of 8 x 8.
        image = image.resize((times * image.width, times * image.height), Image.Resampling.NEAREST)
    image.thumbnail((side, side))
    content = io.BytesIO()
    image.save(content, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode()}"


def embedded_all(sources: Iterable[Path | bytes], side: int = SIDE) -> list[str]:
    """The same of many images, side by side, in their order."""
    with ThreadPoolExecutor(DECODING_THREADS) as pool:
        return list(pool.map(partial(embedded, side=side), sources))
