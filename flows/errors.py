"""The one exception that stands for a mistake a user can mend."""

from flows.exit_codes import ExitCode
from safety.text import redacted


class FlowError(Exception):
    """What is wrong and how to mend it, in one line; it holds no secret wherever it is shown or kept."""

    code = ExitCode.FAILED  # that a command ends with
    hint = ""  # what to do next, as a line of its own

    def __str__(self) -> str:
        """The message, without secrets."""
        return redacted(super().__str__())
