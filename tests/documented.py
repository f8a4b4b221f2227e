"""The commands of the docs, as they stand there."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_BLOCK = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SHELL = ("", "sh", "bash")
_INLINE = re.compile(r"`((?:smallset|python -m benchmarks)[^`]*)`")


def fenced() -> Iterator[tuple[str, str]]:
    """Each command of a block: its page, and the command without its comment."""
    for page in PAGES:
        blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
        for block in [text for language, text in blocks if language in _SHELL]:
            for line in block.replace("\\\n", "").splitlines():
                if command := re.sub(r"(?:^|\s+)# .*", "", line).strip():
                    yield page.name, command


def inline() -> Iterator[tuple[str, str]]:
    """Each command of this project that stands in a sentence."""
    for page in PAGES:
        for command in _INLINE.findall(page.read_text(encoding="utf-8")):
            yield page.name, " ".join(command.split())
