"""The exceptions that end a stage with one line."""


class UserError(Exception):
    """Bad input: the message names the thing, what was expected and what came, in one line."""


class TemporaryError(UserError):
    """What may pass by itself, such as a server that does not answer: another try later may succeed."""
