"""What somebody typed and cannot be meant."""

from flows.errors import FlowError
from flows.exit_codes import ExitCode


class UsageError(FlowError):
    """A mistake on the command line, told before anything is changed."""

    code = ExitCode.USAGE
