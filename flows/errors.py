"""The one exception that stands for a mistake a user can mend."""


class FlowError(Exception):
    """What is wrong and how to mend it, in one line."""
