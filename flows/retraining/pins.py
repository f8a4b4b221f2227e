"""Where a run may work that a Prefect server asks for: whoever reaches the server sets its parameters.

A repository is code that is run. So `schedule`, or who starts a worker of a work pool, says which one by variables of
the environment, and a run of a deployment that names another place is refused on the machine that would run it.
"""

import os
from collections.abc import Mapping

from prefect.runtime import deployment

from flows.errors import FlowError
from flows.retraining.checkout_places import address_of

VARIABLES: Mapping[str, str] = {
    name: f"SMALLSET_{name.upper()}" for name in ("repository", "branch", "checkout", "workers")
}
_DEFAULTS = {"branch": "main"}


def pin(places: Mapping[str, str | None]) -> None:
    """Let runs that this process starts for a server work at these places only; None is nobody's choice either."""
    for name, variable in VARIABLES.items():
        value = places.get(name)
        if value is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = value


def refuse_others(places: Mapping[str, str | None]) -> None:
    """Raise FlowError where a server asks for a run at another place than those that are pinned here.

    Args:
        places: repository, branch, checkout and workers that a run would use.
    """
    if deployment.id is None:
        return
    for name, variable in VARIABLES.items():
        pinned, received = os.environ.get(variable, _DEFAULTS.get(name)), places.get(name)
        if name == "repository":
            if pinned is None:
                raise FlowError(f"{variable}: expected the repository that this worker may run, found none")
            pinned, received = address_of(pinned), address_of(str(received))
        if received != pinned:
            raise FlowError(
                f"{name}: a run that a server asks for does not choose it, {variable} where it is started does. "
                f"Received: {received!r}"
            )
