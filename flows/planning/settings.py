"""`--set key=value`: single parameters, as YAML writes their values."""

from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAMLError

from flows.planning.errors import UsageError
from flows.project.parameters import load


def read_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Take what stands behind `--set`.

    Args:
        texts: as `scratch.epochs=3`; a value is YAML, or a regular expression.

    Returns:
        Values by their keys.

    Raises:
        UsageError: no `=`, a value that is none, or a key twice with different values.

    Example:
        >>> read_settings(["scratch.epochs=3", "backbone.candidates=[a, b]"])
        {'scratch.epochs': 3, 'backbone.candidates': ['a', 'b']}
    """
    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        key = key.strip()
        if not (equals and key):
            raise UsageError(f"--set: expected KEY=VALUE, such as scratch.epochs=3. Received: {text!r}")
        try:
            read = _read(value)
        except (YAMLError, ValueError):
            raise UsageError(f"--set: expected KEY=VALUE with a value of YAML. Received: {text!r}") from None
        # To YAML, 1 and true are two values.
        if (found.setdefault(key, read), type(found[key])) != (read, type(read)):
            raise UsageError(f"--set: {key}: expected one value. Received: {found[key]!r} and {read!r}")
    return found


def _read(text: str) -> Any:
    """A value; a regular expression with a group need not be quoted for YAML, which takes `[^/]` for a list."""
    try:
        return load(text)
    except (YAMLError, ValueError):
        if "(?" in text:
            return text
        raise
