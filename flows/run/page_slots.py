"""What a run knows and the report does not: it fills the places that the page has for it."""

import json
import re
from collections.abc import Collection, Mapping
from html import escape
from pathlib import Path
from typing import Any

from flows.run.provenance import RunRecord, StageRecord
from flows.terminal import words

SPEED = Path(".smallset") / "speed"  # where the stage `evaluate` notes how fast a model is here
# Places in the page, one per model of some; tests/test_contract.py holds the templates to these.
DATE = '<span id="run-date"></span>'
CHANGE = '<div id="run-change"></div>'
TOOK = re.compile(r'(<span class="of-run" id="run-took-([\w-]+)">)(?=</span>)')
SPEEDS = re.compile(r'(<span class="of-run" id="run-speed-([\w-]+)" data-model="([0-9a-f]{64})">)(?=</span>)')
_IMAGES = "download"  # the stage that fetches them


def filled(page: str, record: RunRecord | None, remade: Collection[str], change: str) -> str:
    """Fill the places for the date of the images, the cost of each model, and what has changed.

    Args:
        page: the report.
        record: of the run that made it; None where nothing is known of it.
        remade: stages whose results are no longer those of the run.
        change: HTML on the last saved run; empty without one.
    """
    known = {stage.name: stage for stage in record.stages if stage.name not in remade} if record else {}
    images = known.get(_IMAGES)
    if images and images.ended:
        page = page.replace(DATE, f'<span id="run-date">, fetched on {escape(images.ended[:10])}</span>', 1)
    page = TOOK.sub(lambda place: place[1] + _took(known.get(place[2])), page)
    page = SPEEDS.sub(lambda place: place[1] + _speed(place[2], place[3]), page)
    return page.replace(CHANGE, change, 1) if change else page


def duration(seconds: float) -> str:
    """A time as people say it."""
    return words.duration(seconds) if round(seconds) >= 60 else f"{seconds:.1f} s"


def _took(stage: StageRecord | None) -> str:
    return "" if stage is None or stage.took is None else escape(duration(stage.took))


def _speed(name: str, checksum: str) -> str:
    """Milliseconds an image, where they were measured here of this very model."""
    found = _noted(SPEED / f"{name}.json")
    milliseconds = found.get("milliseconds")
    if found.get("model") != checksum or not isinstance(milliseconds, int | float):
        return ""
    return f"{milliseconds:.1f}"


def _noted(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
