"""The libraries that shape results: DVC tracks their versions, and no other ones compute."""

import os
from importlib.metadata import PackageNotFoundError, version

from stages.lib.core.errors import UserError
from stages.lib.core.sections import VersionsParams

BACKEND = "tensorflow"


def check(tracked: VersionsParams) -> None:
    """Make sure that what is installed is what DVC tracks, and that Keras computes with TensorFlow. Imports nothing.

    Raises:
        UserError: a library is missing or of another version, or Keras is to compute with something else.
    """
    groups = tracked.model_dump(by_alias=True)
    for group, name in ((group, name) for group, names in groups.items() for name in names):
        expected = groups[group][name]
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "none"
        if found != expected:
            raise UserError(
                f"versions.{group}.{name}: expected {expected}, found {found} installed: run `make -B .venv/ready`, "
                "which installs what requirements.lock has"
            )
    require_backend()


def require_backend() -> None:
    """Make sure that Keras will compute with TensorFlow, whatever its keras.json says. Imports nothing.

    Raises:
        UserError: the environment asks for something else.
    """
    # Keras takes an empty value for none.
    backend = os.environ.get("KERAS_BACKEND") or BACKEND
    if backend != BACKEND:
        raise UserError(f"KERAS_BACKEND: expected {BACKEND}, found {backend!r}: run `unset KERAS_BACKEND`")
    os.environ["KERAS_BACKEND"] = backend
