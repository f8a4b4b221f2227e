"""Stages that have nothing to do, as params.yaml says: they write that they are turned off, and are done."""

from collections.abc import Sequence

from flows.project.parameters import PARAMS, read_parameters

_CANDIDATE = "candidate_features@"  # of each place in `backbone.candidates`, in its order


def idle_among(names: Sequence[str]) -> frozenset[str]:
    """Name the stages of models that are turned off, and of places for a backbone that are empty.

    It need not be right: a stage that has something to do all the same does it.

    Args:
        names: of all stages, as `evaluate@fine_tuned`, in the order of dvc.yaml.

    Raises:
        FlowError: params.yaml cannot be read.
    """
    parameters = read_parameters() if PARAMS.is_file() else {}
    backbone = parameters.get("backbone")
    candidates = backbone.get("candidates") if isinstance(backbone, dict) else None
    places = [name for name in names if name.startswith(_CANDIDATE)]
    taken = [bool(one) for one in candidates] if isinstance(candidates, list) else []
    empty = {name for place, name in enumerate(places) if not any(taken[place : place + 1])}
    off = {
        name for name, section in parameters.items() if isinstance(section, dict) and section.get("enabled") is False
    }
    return frozenset(empty | {name for name in names if _sections(name) & off})


def _sections(stage: str) -> set[str]:
    name, _, item = stage.partition("@")
    return {name, item}
