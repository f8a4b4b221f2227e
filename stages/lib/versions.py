"""The libraries that shape results: DVC tracks their versions, and no other ones compute."""

import os
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

from pydantic import Field

from stages.lib.errors import UserError
from stages.lib.params import Params

BACKEND = "tensorflow"


class VersionsParams(Params):
    """Section `versions`: of each library that shapes results, the version."""

    tensorflow: str
    keras: str
    keras_hub: Annotated[str, Field(alias="keras-hub")]
    pillow: str
    pi_heif: Annotated[str, Field(alias="pi-heif")]
    imagehash: str
    scikit_learn: Annotated[str, Field(alias="scikit-learn")]
    cleanlab: str


def check(tracked: VersionsParams) -> None:
    """Make sure that what is installed is what DVC tracks, and that Keras computes with TensorFlow. Imports nothing.

    Raises:
        UserError: a library is missing or of another version, or Keras is to compute with something else.
    """
    for name, expected in tracked.model_dump(by_alias=True).items():
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "none"
        if found != expected:
            raise UserError(
                f"versions.{name}: expected {expected}, found {found} installed: run `make -B .venv/ready`, "
                "which installs what requirements.lock has"
            )
    backend = os.environ.setdefault("KERAS_BACKEND", BACKEND)
    if backend != BACKEND:
        raise UserError(f"KERAS_BACKEND: expected {BACKEND}, found {backend!r}: run `unset KERAS_BACKEND`")
