"""By what a file is known, whoever hands it over."""

import hashlib
from pathlib import Path


def checksum(file: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits; the file may be larger than memory."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
