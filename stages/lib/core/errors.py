"""The exceptions that end a stage with one line."""

from smallset.errors import TemporaryError, UserError

__all__ = ["TemporaryError", "UserError", "retold"]


def retold(error: UserError, message: str) -> UserError:
    """The same mistake in other words, which may pass if the first may: to raise in its place.

    Args:
        error: of any kind, which may take more than a message.
        message: what it says now.
    """
    return TemporaryError(message) if isinstance(error, TemporaryError) else UserError(message)
