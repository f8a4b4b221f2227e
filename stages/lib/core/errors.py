"""The exceptions that end a stage with one line."""

from smallset.errors import TemporaryError, UserError

__all__ = ["TemporaryError", "UserError"]
