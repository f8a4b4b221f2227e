"""Which formats are read, and what a file says of itself before a decoder sees it."""

import re
from typing import IO

from PIL import Image

# The formats in which people have photographs, scans and drawings; an MPO is opened as the JPEG that it begins with.
# HEIF comes last: its plugin takes some AVIF for its own.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "JPEG2000", "PPM", "AVIF", "HEIF")
# Other formats, told by marks that no image has by chance.
_OTHERS = (
    *("EPS", "PSD", "WMF", "FITS", "GRIB", "BUFR", "HDF5", "ICO", "CUR", "ICNS", "BLP", "DDS", "FTEX", "QOI"),
    *("XPM", "SUN", "SGI", "FLI", "PCX", "DCX"),
)
# What lies among images and is none, by its first bytes (WebM and Matroska begin alike), with what to do.
_NO_IMAGES = {
    b"PK\x03\x04": "an archive: unpack it",
    b"Rar!\x1a\x07": "an archive: unpack it",
    b"7z\xbc\xaf\x27\x1c": "an archive: unpack it",
    b"\x1f\x8b": "an archive: unpack it",
    b"%PDF-": "a PDF: save its pages as images",
    b"\x1a\x45\xdf\xa3": "a film: save single frames of it as images",
}
# Of the family of MPEG-4, whose images begin in the same way.
_FILMS = (b"qt  ", b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"3gp4", b"3gp5")
STARTS_WITH = 64  # bytes by which a format is told
# Of a JPEG within its pixels: what follows 0xFF and is neither a filling byte, a byte 0xFF itself, nor a restart.
_MARKER = re.compile(rb"\xff[^\xff\x00\xd0-\xd7]")
_SCAN, _END = 0xDA, 0xD9
_SEQUENTIAL = frozenset({0xC0, 0xC1, 0xC9})
_OTHER_FRAMES = frozenset({*range(0xC2, 0xD0)} - {0xC4, 0xC8, 0xC9, 0xCC})  # progressive ones among them
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


def name_of_other(start: bytes) -> str | None:
    """The name of a format that is not read; None where the file is of none that Pillow can tell.

    Nothing is decoded: Pillow's plugins look at the first bytes alone. EPS among them would start another program.

    Args:
        start: the first bytes of a file, `STARTS_WITH` of them.
    """
    for name in _OTHERS:
        accept = Image.OPEN[name][1]
        try:
            if accept is not None and accept(start):
                return name
        except (IndexError, ValueError):  # of a file that is shorter than its mark
            continue
    return None


def no_image(start: bytes) -> str | None:
    """What a file is that holds no image, and what to do with it; None where it may be a damaged image, or anything.

    Args:
        start: as of `name_of_other`.
    """
    if not start:
        return "an empty file: copy it again"
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "a web page: save the image itself"
    if (start[4:8] == b"ftyp" and start[8:12] in _FILMS) or (start[:4] == b"RIFF" and start[8:12] == b"AVI "):
        return "a film: save single frames of it as images"
    return next((what for mark, what in _NO_IMAGES.items() if start.startswith(mark)), None)


def size_of_webp(start: bytes) -> tuple[int, int] | None:
    """Width and height of a WebP, as RFC 9649 has them; None for a file of another format, or a damaged one.

    Its decoder takes memory for the whole image before Pillow has looked at its size.

    Args:
        start: the first 30 bytes of a file.
    """
    if len(start) < 25 or not start.startswith(b"RIFF") or start[8:12] != b"WEBP":
        return None
    kind = start[12:16]
    if kind == b"VP8X" and len(start) >= 30:
        return 1 + int.from_bytes(start[24:27], "little"), 1 + int.from_bytes(start[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(start[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(start) >= 30:
        return int.from_bytes(start[26:28], "little") & 0x3FFF, int.from_bytes(start[28:30], "little") & 0x3FFF
    return None


def scans_of_jpeg(file: IO[bytes], most: int) -> int:
    """Number of scans of a JPEG: one of a baseline file, about ten of a progressive one.

    The decoder goes through the whole image once for each. Those of a small copy in the metadata, or of what follows
    the image, do not count.

    Args:
        file: open, and left somewhere in it.
        most: where counting stops.
    """
    if _has_one_scan(file):
        return 1
    file.seek(0)
    content = file.read()
    if (bound := content.count(b"\xff\xda")) <= 1:
        return bound
    place, found = 2, 0
    while found <= most and (marker := _MARKER.search(content, place)) is not None:
        place, kind = marker.end(), content[marker.end() - 1]
        if kind == _END:
            break
        found += kind == _SCAN
        if kind not in _WITHOUT_LENGTH:
            place += max(2, int.from_bytes(content[place : place + 2], "big"))
    return found


def _has_one_scan(file: IO[bytes]) -> bool:
    """Whether the first scan of a JPEG has all channels at once and is not progressive: then it is the only one read.

    Told from the segments before it, as in nearly all photographs.
    """
    file.seek(2)
    channels = None
    while len(mark := file.read(4)) == 4 and mark[0] == 0xFF:
        kind, length = mark[1], int.from_bytes(mark[2:], "big") - 2
        if kind == _SCAN:
            return channels is not None and file.read(1) == channels
        if kind in _SEQUENTIAL:
            frame = file.read(6)
            channels, length = frame[5:], length - 6
        elif kind in _OTHER_FRAMES or length < 0:
            return False
        file.seek(max(0, length), 1)
    return False
