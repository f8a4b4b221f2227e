"""What a run of a pull request wants to have said, made harmless: `pull_request_comment.py number|text FILE`.

The file comes from code of a stranger. Of its text nobody is called, nothing is linked, loaded or hidden. It needs the
standard library alone: nothing is installed where it runs.
"""

import os
import re
import stat
import sys
import unicodedata
from pathlib import Path

MOST = 60_000  # characters; GitHub takes 65,536
_APART = "\u200b"  # a space without width
_HIDDEN = ("Cc", "Cf", "Cs")  # categories of characters that are not seen, or turn the writing
# After each of these a link, an image, a mention or a reference would begin.
_BEGINS = re.compile(r"(@|\]|:(?=//)|mailto:|xmpp:|\bwww(?=\.)|#(?=\d)|\bGH-(?=\d))", re.IGNORECASE)
# Blocks that are drawn, such as diagrams and formulas.
_DRAWN = re.compile(r"``(?=`)|~~(?=~)|\$(?=[$`])")
# GitHub links the names of commits.
_COMMIT = re.compile(r"\b[0-9a-f]{7,64}\b", re.IGNORECASE)


def harmless(text: str) -> str:
    """Markdown that keeps headings, tables, emphasis and blocks; no html, links, images, mentions or references."""
    text = "".join(letter for letter in text if letter == "\n" or unicodedata.category(letter) not in _HIDDEN)
    text = re.sub(r"&(?!(?:amp|lt|gt|quot);)", "&amp;", text.replace("&#8203;", _APART))
    text = text.replace("<", "&lt;")
    text = _DRAWN.sub(rf"\g<0>{_APART}", _BEGINS.sub(rf"\1{_APART}", text))
    return _COMMIT.sub(lambda name: re.sub("(.{6})(?=.)", rf"\1{_APART}", name[0]), text)


def read(file: Path, most: int) -> str:
    """The text of a regular file of at most so many bytes; ends with one line where it is another."""
    try:
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as content:
            about = os.fstat(content.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size > most:
                sys.exit(f"error: {file.name}: expected a file of at most {most} bytes")
            return content.read(most).decode()
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"error: {file.name}: {type(error).__name__}")


def main() -> None:
    """Print the number of the pull request, or the text."""
    wanted, file = sys.argv[1], Path(sys.argv[2])
    if wanted == "number":
        number = read(file, 20)
        if not re.fullmatch(r"[1-9][0-9]{0,9}\n?", number):
            sys.exit(f"error: {file.name}: expected the number of a pull request")
        print(number.strip())
    else:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        found = harmless(read(file, MOST))
        print(found if len(found) <= MOST else f"{found[:MOST]}\n...")


if __name__ == "__main__":
    main()
