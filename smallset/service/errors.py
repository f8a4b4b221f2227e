"""What a request is answered that cannot be done."""

from collections.abc import Mapping


class Refused(Exception):
    """A request that is answered with an error.

    Attributes:
        status: of HTTP.
        message: what was expected and what came.
        headers: of the answer.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        """Say why."""
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})
