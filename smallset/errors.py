"""The exception of a user's mistake."""

from safety.text import redacted


class UserError(Exception):
    """Bad input: the message names the thing, what was expected and what came, in one line, and holds no secret."""

    def __str__(self) -> str:
        """The message, without secrets."""
        return redacted(super().__str__())


class TemporaryError(UserError):
    """What may pass by itself, such as a server that does not answer: another try later may succeed."""
