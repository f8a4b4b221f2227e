"""What stands behind the figures: parameters, versions, checksums."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safety.checksums import checksum
from safety.text import redacted


@dataclass(frozen=True)
class Provenance:
    """What stands behind the figures.

    Attributes:
        parameters: per section, key and value as text.
        data: SHA-256 of the manifest.
    """

    parameters: dict[str, dict[str, str]]
    data: str


def provenance(manifest: Path, parameters: Mapping[str, Any]) -> Provenance:
    """Write the parameters as text, and identify the data by their checksum.

    Args:
        manifest: table of the images.
        parameters: sections of params.yaml.
    """
    return Provenance({name: dict(_flat(values)) for name, values in parameters.items()}, checksum(manifest))


def _flat(values: dict[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Keys with a point between levels, values as YAML writes them, without secrets."""
    found = []
    for key, value in values.items():
        if isinstance(value, dict):
            found += _flat(value, f"{above}{key}.")
        else:
            found.append((f"{above}{key}", redacted(value if isinstance(value, str) else json.dumps(value))))
    return found
