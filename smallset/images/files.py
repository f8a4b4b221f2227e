"""Files of images opened with suspicion: of a format that holds pixels, and no larger than memory allows."""

import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from PIL import AvifImagePlugin, Image, ImageFile, UnidentifiedImageError

from smallset.images import heif
from smallset.images.broken import BrokenImage, explained
from smallset.images.formats import FORMATS, STARTS_WITH, name_of_other, no_image, scans_of_jpeg, size_of_webp
from smallset.images.memory_budget import MemoryBudget

MOST_BYTES = 1 << 30  # of a file
# What decoding may take in memory, of all images that are decoded at one moment, however many threads decode.
MOST_MEMORY = 1_300_000_000
# Pixels of a JPEG, which is decoded at an eighth of its size if need be; phones make them of 200 million.
MOST_PIXELS_JPEG = 500_000_000
# Of a JPEG of several scans, such as a progressive one, all of whose coefficients are in memory at any size.
MOST_PIXELS_PROGRESSIVE = 200_000_000
# Of any other image, and of what a JPEG is decoded to.
MOST_PIXELS = 100_000_000
MOST_PIXELS_OF_32_BITS = 50_000_000
# Of a JPEG. Encoders make 10, at most about 100 for one that a script has chosen.
MOST_SCANS = 200
# Pixels that all scans of a JPEG go through together: each takes the time of the whole image.
MOST_PIXELS_OF_SCANS = 4_000_000_000
MOST_PROFILE = 8 << 20  # bytes of a colour profile; the largest ones of printers have three million
# Bytes of memory that a pixel takes while it is decoded and brought to RGB: the most of what was measured for each
# format, with transparency. Of a progressive JPEG they are those of the whole image: 2 for each of its channels.
_BYTES_PER_PIXEL = {"WEBP": 18, "AVIF": 12, "HEIF": 9, "JPEG2000": 25}
_BYTES_PER_PIXEL_OF_OTHERS, _BYTES_PER_PIXEL_OF_32_BITS = 9, 14
_ALONE = 1 << 24  # pixels: from here on what is left over of an image is made small before the next one
memory = MemoryBudget(MOST_MEMORY)

# Pillow's own limit is one for all formats; here it only guards images inside of images.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS_JPEG
# Images are decoded side by side already.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
heif.register()


@contextmanager
def opened(source: Path | bytes) -> Iterator[ImageFile.ImageFile]:
    """Open an image from a file or from its bytes; of several in one file the first, or the one that it names.

    Raises:
        BrokenImage: also for what goes wrong while the caller decodes it inside the block.
    """
    with explained():
        check_size(len(source) if isinstance(source, bytes) else _size_of_file(source))
        # Never by its path: Pillow then maps an uncompressed TIFF, which garbles one that lies on its side.
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
            start = file.read(STARTS_WITH)
            file.seek(0)
            _check_start(start)
            try:
                with Image.open(file, formats=FORMATS) as image:
                    _check(image, file)
                    yield image
            except UnidentifiedImageError:
                raise _unknown(start) from None


def check_size(size: int) -> None:
    """Refuse a file before it is read.

    Args:
        size: bytes.

    Raises:
        BrokenImage: it has more than `MOST_BYTES`.
    """
    if size > MOST_BYTES:
        raise BrokenImage(f"{size / 1e9:.1f} GB, expected at most {MOST_BYTES / 1e9:.1f}: save it smaller")


def _size_of_file(path: Path) -> int:
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):  # a pipe or a device may never end
        raise BrokenImage(f"expected a file, found {'a folder' if stat.S_ISDIR(about.st_mode) else 'something else'}")
    return about.st_size


@contextmanager
def turn_of(image: Image.Image, declared: int) -> Iterator[bool]:
    """Wait until an open image may be decoded, so that the memory of those decoded at once stays within a budget.

    Args:
        image: open, and not decoded yet.
        declared: pixels of the whole image, of which a JPEG is decoded to fewer.

    Yields:
        Whether it is one of the large ones.

    Raises:
        BrokenImage: it is decoded to more pixels than fit in memory.
        TooMuchAtOnce: as `memory` says.
    """
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise _too_large(pixels, MOST_PIXELS, "a whole image")
    coefficients = declared * 2 * len(image.getbands()) if "progressive" in image.info else 0
    with memory.held(coefficients + pixels * _bytes_per_pixel(image)):
        yield is_large(max(pixels, declared if coefficients else 0))


def is_large(pixels: int) -> bool:
    """Whether an image of so many pixels is made small as soon as it is decoded."""
    return pixels > _ALONE


def _check_start(start: bytes) -> None:
    """Refuse a WebP with too many pixels before its decoder takes memory for them."""
    if (size := size_of_webp(start)) is not None:
        _check_pixels(size[0] * size[1], _most_pixels("WEBP"), "WEBP")


def _unknown(start: bytes) -> BrokenImage:
    if what := no_image(start):
        return BrokenImage(f"not an image but {what}")
    if (name := name_of_other(start)) is None:
        return BrokenImage("not an image, or of an unknown format")
    return BrokenImage(f"{name} is not among the formats that are read: save it as PNG or JPEG")


def _check(image: ImageFile.ImageFile, file: IO[bytes]) -> None:
    form, pixels = str(image.format), image.width * image.height
    if len(image.info.get("icc_profile") or b"") > MOST_PROFILE:
        size = len(image.info["icc_profile"])
        raise BrokenImage(f"a colour profile of {size / 1e6:.0f} MB, expected at most {MOST_PROFILE / 1e6:.0f}")
    if form not in ("JPEG", "MPO"):
        if image.mode in ("I", "F"):
            _check_pixels(pixels, MOST_PIXELS_OF_32_BITS, "32 bits each")
        _check_pixels(pixels, _most_pixels(form), form)
        return
    _check_scans(image, file)
    if "progressive" not in image.info:
        _check_pixels(pixels, MOST_PIXELS_JPEG, "a JPEG")
        return
    in_memory = MOST_MEMORY // (2 * len(image.getbands()))
    _check_pixels(pixels, min(MOST_PIXELS_PROGRESSIVE, in_memory), "a progressive JPEG")


def _check_scans(image: ImageFile.ImageFile, file: IO[bytes]) -> None:
    """Refuse a JPEG that takes its decoder too many passes; one of several passes counts as progressive."""
    place = file.tell()
    scans = scans_of_jpeg(file, MOST_SCANS)
    file.seek(place)
    if scans > MOST_SCANS:
        raise BrokenImage(f"a JPEG of more than {MOST_SCANS} scans, which no encoder makes: save it again")
    if scans > 1:
        # Kept in memory like one that says it is progressive, which Pillow tells by another mark.
        image.info["progressive"] = 1
        _check_pixels(scans * image.width * image.height, MOST_PIXELS_OF_SCANS, f"a JPEG of {scans} scans")


def _bytes_per_pixel(image: Image.Image) -> int:
    if image.mode in ("I", "F"):
        return _BYTES_PER_PIXEL_OF_32_BITS
    return _BYTES_PER_PIXEL.get(str(image.format), _BYTES_PER_PIXEL_OF_OTHERS)


def _most_pixels(form: str) -> int:
    """Pixels of an image that is decoded whole."""
    return min(MOST_PIXELS, MOST_MEMORY // _BYTES_PER_PIXEL.get(form, _BYTES_PER_PIXEL_OF_OTHERS))


def _check_pixels(pixels: int, most: int, kind: str) -> None:
    if pixels > most:
        raise _too_large(pixels, most, kind)


def _too_large(pixels: int, most: int, kind: str) -> BrokenImage:
    return BrokenImage(
        f"{pixels / 1e6:.0f} megapixels, more pixels than the {most / 1e6:.0f} million of {kind} that fit in memory: "
        "save it smaller, or as a baseline JPEG"
    )
