"""How a command ends, for whoever started it: a scheduler, systemd, a script. docs/unattended.md has the table."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Codes of `smallset`; a signal is 128 and its number, as of every shell."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REJECTED = 3
    ASKS = 4  # undecided, or held: a person is asked
    NOT_PUSHED = 5
    SKIPPED = 6
    SERVER = 7
    NO_RESULTS = 8  # of a branch point: a workflow makes them
    LEFT_OUT = 9  # of images that are predicted, some could not be read
    INTERRUPTED = 130
