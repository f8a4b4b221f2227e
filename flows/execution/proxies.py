"""This machine is asked directly: no proxy of the environment can reach its 127.0.0.1."""

import os

_HERE = ("127.0.0.1", "localhost", "::1")


def ask_this_machine_directly() -> None:
    """Have this process, and all that it starts, ask servers of this machine without a proxy; again it does nothing."""
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    names = [name for name in map(str.strip, known.split(",")) if name]
    if "*" not in names:
        names += [name for name in _HERE if name not in names]
    # Some read one, some the other.
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(names)
