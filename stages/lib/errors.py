"""The one exception that stands for a mistake a user can mend."""


class UserError(Exception):
    """Bad input: the message names the thing, what was expected and what came, in one line."""
