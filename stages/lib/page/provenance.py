"""What stands behind the figures: parameters, versions, checksums."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safety.text import redacted
from stages.lib.comparison.evaluations import Results
from stages.lib.core.params import read_file


@dataclass(frozen=True)
class Provenance:
    """What stands behind the figures.

    Attributes:
        parameters: per section, key and value as text.
        checksums: SHA-256 of each model.keras.
        data: of the manifest.
    """

    parameters: dict[str, dict[str, str]]
    checksums: dict[str, str]
    data: str


def provenance(results: Results, models: Path, manifest: Path, parameters: Path) -> Provenance:
    """Read the parameters, and identify the data and the models by their checksums."""
    sections = read_file(parameters)
    return Provenance(
        {name: dict(_flat(values)) for name, values in sections.items()},
        {one.name: _sha256(models / one.name / "model.keras") for one in results.evaluations},
        _sha256(manifest),
    )


def _flat(values: dict[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Keys with a point between levels, values as YAML writes them, without secrets."""
    found = []
    for key, value in values.items():
        if isinstance(value, dict):
            found += _flat(value, f"{above}{key}.")
        else:
            found.append((f"{above}{key}", redacted(value if isinstance(value, str) else json.dumps(value))))
    return found


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
