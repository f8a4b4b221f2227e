"""Numbers of things, in words."""


def counted(number: int, one: str, several: str | None = None) -> str:
    """A number of things: "1 image", "2,000 images".

    Args:
        number: of them.
        one: what one of them is called, with its verb where there is one.
        several: what several are called; None: `one` with an s.
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
