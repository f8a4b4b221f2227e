"""What has changed since an earlier run, as figures side by side; `smallset compare` tests the difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.run.results import BALANCED
from safety.words import counted

_MEASURES = {"accuracy": "accuracy", BALANCED: "balanced accuracy"}


@dataclass(frozen=True)
class Earlier:
    """An earlier run.

    Attributes:
        run: its tag.
        started: UTC, ISO 8601; empty where it is not known.
        summary: of its report.
        images: how many it had, of all subsets; None where it is not known.
        same_images: whether they are those of now; None where it is not known.
    """

    run: str
    started: str
    summary: Mapping[str, Any]
    images: int | None
    same_images: bool | None


@dataclass(frozen=True)
class Change:
    """The earlier run beside this one, in words.

    Attributes:
        run: the tag of the earlier one.
        day: of the earlier one; empty where it is not known.
        before: its figure with the interval.
        after: the figure of now.
        points: the difference of the two, in percentage points; None where they are of another measure.
        model: recommended then, where it was another one; empty otherwise.
        images: what became of the images.
    """

    run: str
    day: str
    before: str
    after: str
    points: float | None
    model: str
    images: str


def change(earlier: Earlier, summary: Mapping[str, Any], images: int) -> Change | None:
    """Set the headline of an earlier run beside that of now.

    Args:
        earlier: the run to look back to.
        summary: of the report that lies here.
        images: that lie here, of all subsets.

    Returns:
        None where one of the two has no figure.
    """
    then, now = (_measured(one) for one in (earlier.summary, summary))
    if then is None or now is None:
        return None
    same = then[0] == now[0]
    points = 100 * (now[1] - then[1]) if same else None
    model = earlier.summary.get("recommended")
    return Change(
        earlier.run,
        earlier.started[:10],
        then[2],
        now[2],
        points,
        str(model) if model and model != summary.get("recommended") else "",
        _images(earlier, images),
    )


def _measured(summary: Mapping[str, Any]) -> tuple[str, float, str] | None:
    measure = summary.get("headline", "accuracy")
    value, low, high = (summary.get(f"{measure}{end}") for end in ("", "_low", "_high"))
    if measure not in _MEASURES or value is None or low is None or high is None:
        return None
    return measure, value, f"{_MEASURES[measure]} {100 * value:.1f} % ({100 * low:.1f} to {100 * high:.1f} %)"


def _images(earlier: Earlier, images: int) -> str:
    if not images:
        return ""
    if earlier.same_images:
        return f"the same {counted(images, 'image')}"
    before = "" if earlier.images is None else f"{counted(earlier.images, 'image')} then, "
    return f"{before}{images:,} now" if before else f"{counted(images, 'image')} now"
