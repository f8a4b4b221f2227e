"""Parameters that an earlier version of Smallset called otherwise: who has them in params.yaml is told today's name."""

from collections.abc import Iterable

_NOW = {
    "labels": "label_issues",
    "backbone.pretraining.pictures_per_class": "backbone.pretraining.images_per_class",
    **{f"versions.{name}": f"versions.images.{name}" for name in ("pillow", "pi-heif")},
    **{f"versions.{name}": f"versions.networks.{name}" for name in ("tensorflow", "keras", "keras-hub")},
    **{f"versions.{name}": f"versions.statistics.{name}" for name in ("scikit-learn", "cleanlab")},
}


def unknown(key: str, kind: str) -> str:
    """The mistake of a section or parameter that there is not.

    Args:
        key: in full, such as `backbone.preset`.
        kind: "section" or "parameter".
    """
    return f"{key}: is called {_NOW[key]} now" if key in _NOW else f"{key}: no such {kind}"


def is_under_an_earlier_name(key: str, written: Iterable[str]) -> bool:
    """Whether a missing key, or a part of it, stands there under the name that it had.

    Args:
        key: in full.
        written: names, in full, that are not known today.
    """
    return any(f"{_NOW[name]}.".startswith(f"{key}.") for name in written if name in _NOW)
