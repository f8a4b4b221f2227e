"""The exceptions that end a stage with one line."""

from smallset.errors import UserError

__all__ = ["TemporaryError", "UserError"]


class TemporaryError(UserError):
    """What may pass by itself, such as a server that does not answer: another try later may succeed."""
