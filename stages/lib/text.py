"""Names and other people's words as one line of plain text."""

import unicodedata

# Control characters, those that turn the direction of writing or are not seen, halves of characters, ends of lines.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# They join letters of Persian and parts of one emoji.
_JOINERS = frozenset("\u200c\u200d")


def visible(text: object) -> str:
    r"""Text as it is, but each character that a terminal would obey or hide as an escape, such as `\n` or `\x1b`.

    A byte of a file's name that is not UTF-8 becomes `\xe9`. The result can always be written as UTF-8.
    """
    return "".join(_escaped(letter) for letter in str(text))


def is_utf8(name: object) -> bool:
    """Whether a file's name, as Python has it, is UTF-8."""
    return not any(unicodedata.category(letter) == "Cs" for letter in str(name))


def _escaped(letter: str) -> str:
    if unicodedata.category(letter) not in _HIDDEN or letter in _JOINERS:
        return letter
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode()
