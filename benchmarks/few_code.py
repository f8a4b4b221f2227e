"""By which code a cell of `benchmarks.few_images` was measured, as a checksum."""

import hashlib
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
# What images are read by, and what features are made of them.
SHAPING = ("smallset/images/**/*.py", *(f"stages/lib/{name}/**/*.py" for name in ("images", "inference", "networks")))
MEASURING = ("smallset/images/**/*.py", "smallset/outputs.py", "stages/**/*.py", "benchmarks/few_*.py")


def code_of(patterns: tuple[str, ...], root: Path = _ROOT) -> str:
    """A checksum of the files that any of the patterns meets below the root."""
    found = hashlib.sha256()
    for file in sorted({file for pattern in patterns for file in root.glob(pattern)}):
        found.update(file.relative_to(root).as_posix().encode())
        found.update(file.read_bytes())
    return found.hexdigest()[:12]
