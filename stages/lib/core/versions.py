"""The libraries that shape results: DVC tracks their versions, and no other ones compute."""

import os
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

from pydantic import Field

from stages.lib.core.errors import UserError
from stages.lib.core.params import Params

BACKEND = "tensorflow"


class ImagesVersions(Params):
    """Versions of the libraries that read images."""

    pillow: str
    pi_heif: Annotated[str, Field(alias="pi-heif")]


class NetworksVersions(Params):
    """Versions of the libraries that networks are made with."""

    tensorflow: str
    keras: str
    keras_hub: Annotated[str, Field(alias="keras-hub")]


class StatisticsVersions(Params):
    """Versions of the libraries that figures are computed with."""

    scikit_learn: Annotated[str, Field(alias="scikit-learn")]
    cleanlab: str


class VersionsParams(Params):
    """Section `versions`: of each library that shapes results, the version; a stage depends on whole groups."""

    images: ImagesVersions
    networks: NetworksVersions
    statistics: StatisticsVersions


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
