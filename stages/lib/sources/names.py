"""Names of files in archives: what they may be."""

import hashlib
import re
import unicodedata
from pathlib import Path

from stages.lib.core.errors import UserError
from stages.lib.images.set_aside import is_left_over

_LONGEST_NAME = 255  # bytes: of a file or folder, on every usual file system
_LONGEST_PATH = 1024  # bytes: of all folders and the file, on macOS


def safe_name(source: Path, raw: str) -> str:
    """Bring the name of a file or folder into one form, `/` between folders, without one at the end.

    Args:
        source: that has it, for the error.
        raw: as the archive, or the file system, has it.

    Raises:
        UserError: it leads outside, or not every file system takes it.
    """
    name = unicodedata.normalize("NFC", raw.replace("\\", "/"))
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if len(name.encode("utf-8", "surrogatepass")) > _LONGEST_PATH:
        raise UserError(f"{source}: {raw[:40]!r}...: expected paths of at most {_LONGEST_PATH} bytes")
    if name.startswith("/") or re.match("[A-Za-z]:/", name):
        raise UserError(f"{source}: {raw!r}: expected a relative name, found an absolute one")
    if ".." in parts:
        raise UserError(f"{source}: {raw!r}: expected a name inside the archive, found one that leads outside")
    if is_left_over(name):
        # Such as `Icon` and a return: it stays out anyway.
        return "/".join(parts)
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in name):
        raise UserError(f"{source}: {raw!r}: expected a name in UTF-8 without control characters")
    if any(len(part.encode()) > _LONGEST_NAME for part in parts):
        raise UserError(f"{source}: {raw[:40]!r}...: expected names of at most {_LONGEST_NAME} bytes")
    return "/".join(parts)


def readable_name(name: str) -> str:
    """Replace in a name what `safe_name` refuses of characters, and most of a long one, for whoever reads of it."""
    text = name.rstrip("/").encode("utf-8", "backslashreplace").decode()
    if len(text) > _LONGEST_NAME:
        # Still another name than that of its neighbours.
        text = f"{text[:100]}...{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return "".join(letter if ord(letter) >= 32 else "?" for letter in text)
