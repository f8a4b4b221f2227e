"""Standard streams that whoever started this process has closed, as some schedulers do."""

import contextlib
import os
import sys


def open_closed() -> None:
    """Open nothing in the place of each closed one, so that no file and no pipe of this process gets its number.

    A pipe with the number of the errors would end with the first line that a library writes there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number, which is this one: all below are open.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            with contextlib.suppress(OSError):
                setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))
