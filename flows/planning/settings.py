"""`--set key=value`: single parameters, as YAML writes their values."""

from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAMLError

from flows.planning.errors import UsageError
from flows.project.parameters import load


def read_settings(texts: Sequence[str]) -> dict[str, Any]:
    """Take what stands behind `--set`.

    Args:
        texts: as `scratch.epochs=3`; a value is YAML, and text where it is none.

    Returns:
        Values by their keys.

    Raises:
        UsageError: no `=`, or a key twice with different values.

    Example:
        >>> read_settings(["scratch.epochs=3", "backbone.candidates=[a, b]"])
        {'scratch.epochs': 3, 'backbone.candidates': ['a', 'b']}
    """
    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        key = key.strip()
        if not (equals and key):
            raise UsageError(f"--set: expected key=value, such as scratch.epochs=3. Received: {text!r}")
        read = _read(value)
        if found.setdefault(key, read) != read:
            raise UsageError(f"--set: {key}: expected one value. Received: {found[key]!r} and {read!r}")
    return found


def _read(text: str) -> Any:
    """A value; a regular expression, for one, need not be quoted for YAML."""
    try:
        return load(text)
    except (YAMLError, ValueError):
        return text
