"""HEIC and HEIF, as phones save them, for Pillow: the main image of a file, upright as its format says."""

from typing import IO, Any

import pi_heif
from PIL import Image


def register() -> None:
    """Let Pillow open HEIF files with pi-heif, which decodes and does not encode."""
    # Every other format first: the plugin takes some AVIF for its own.
    Image.init()
    # Small copies, depth and masks that a file has besides are not looked at.
    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    opener, accept = Image.OPEN["HEIF"]

    def checked(file: IO[bytes], name: str | bytes) -> Any:
        _check_items(file.read())
        file.seek(0)
        return opener(file, name)

    Image.register_open("HEIF", checked, accept)


def _check_items(content: bytes) -> None:
    """Refuse damaged names of a file's items, on which pi-heif 1.4.0 ends the process: a text that is not UTF-8.

    ISO/IEC 14496-12, ItemInfoEntry: size, "infe", version, flags, identifier, protection, then type and names.

    Raises:
        SyntaxError: as Pillow's own plugins do for what they cannot open.
    """
    place = content.find(b"infe")
    while place >= 4:
        end = place - 4 + int.from_bytes(content[place - 4 : place], "big")
        identifier = 2 if content[place + 4 : place + 5] == b"\2" else 4
        try:
            content[place + 8 + identifier + 2 : end].decode("utf-8")
        except UnicodeDecodeError:
            raise SyntaxError("damaged names in a HEIF file") from None
        place = content.find(b"infe", place + 4)
