"""What lies in a folder, in a form that is quickly compared and shown where it differs."""

import hashlib
from pathlib import Path


def checksums(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file below it, by path."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
