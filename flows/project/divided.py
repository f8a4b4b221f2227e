"""What the stage `split` has counted: how many images lie in each subset, and how many were left out."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SPLIT = Path("data") / "split.json"


def read_split() -> Mapping[str, Any]:
    """What `split` has counted; empty where it has not run, or the file is none of its own."""
    try:
        found = json.loads(SPLIT.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def images_of_subsets() -> dict[str, int]:
    """How many images lie here of each subset; empty where they were not divided yet."""
    return {name: sum(found.values()) for name, found in read_split().items() if isinstance(found, dict)}
