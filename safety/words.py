"""Numbers of things, names and errors as sentences have them."""

from collections.abc import Sequence


def counted(number: int, one: str, several: str | None = None) -> str:
    """A number of things: "1 image", "2,000 images".

    Args:
        number: of them.
        one: what one of them is called, with its verb where there is one.
        several: what several are called; None: `one` with an s.
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """All words as a sentence lists them: "a, b and c".

    Args:
        words: any number of them.
        last: what stands before the last one.
    """
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def first_few(names: Sequence[str], most: int) -> str:
    """The first of some names, and a sign that there are more: "a, b, c, ...".

    Args:
        names: in their order.
        most: names that are told.
    """
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def first_and_more(names: Sequence[str], most: int) -> str:
    """The first of some names, and how many more there are: "a, b and 3 more".

    Args:
        names: in their order.
        most: names that are told.
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def in_one_line(error: object, most: int = 300) -> str:
    """All that an error says, in one line; its class where it says nothing.

    Args:
        error: an exception, or text.
        most: characters of it.
    """
    return " ".join(str(error).split())[:most] or type(error).__name__


def first_line(error: object, most: int = 300) -> str:
    """The first line of what an error says, for one that goes on with much that nobody reads; its class otherwise.

    Args:
        error: an exception, or text.
        most: characters of it.
    """
    lines = str(error).strip().splitlines()
    return lines[0][:most] if lines else type(error).__name__
