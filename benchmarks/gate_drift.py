"""What the gate of `smallset retrain` lets through: how far quality drifts, and which models it promotes.

    python -m benchmarks.gate_drift

Models are simulated, no image is looked at. Each of 51 models is right on a test image where a score, of which a
share `ALIKE` is the image's own and the rest the model's, lies below what its true accuracy asks for: two models of
95 % then disagree on about 4 % of the images. The test images stay the same, as they do with `split.order: hash`.
The first model is in use; 50 retrainings follow. "drift": each is truly 0.3 points worse than the one before, from
95 % down to 80 %. "lost" is how far below 95 % the model in use is at the end; "never refused" the share of chains that
go all the way. "promoted" is the share of the first retrainings, and in brackets of all 50, that are promoted where
all are equal, and where all are 2 points better than the first; "3 points worse" the share of the first ones that are
promoted though they are worse by just the margin, 5 % at most wanted.

Rules: "old" refuses what McNemar's test shows to be worse than the model in use; "present" is `gate.anchor: present`,
"best" is `gate.anchor: best`, both with `gate.margin: 0.03`; "luckiest" is "best", but measured by whichever of all
promoted models does best on these images.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Annotated

import numpy as np
import typer
from scipy.stats import norm
from statsmodels.stats.contingency_tables import mcnemar

from benchmarks.options import Json
from benchmarks.tables import show
from stages.lib.comparison.comparisons import lower_bound

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

IMAGES, RETRAININGS = (60, 200, 400, 2000), 50
RULES = ("old", "present", "best", "luckiest")
START, STEP, MARGIN, ALIKE = 0.95, 0.003, 0.03, 0.9


@dataclass(frozen=True)
class Row:
    """One rule at one number of test images; points lost, and shares of chains or of models."""

    images: int
    rule: str
    lost_median: float
    lost_95: float
    never_refused: float
    equal_first: float
    equal_all: float
    better_first: float
    better_all: float
    worse_first: float


def models(accuracies: np.ndarray, images: int, rng: np.random.Generator) -> np.ndarray:
    """Draw which model is right on which image, bool (models, images)."""
    shared = np.sqrt(ALIKE) * rng.standard_normal(images)
    own = np.sqrt(1 - ALIKE) * rng.standard_normal((len(accuracies), images))
    return shared + own < norm.ppf(accuracies)[:, None]


def chain(rights: np.ndarray, rule: str) -> tuple[list[bool], int]:
    """Let one rule decide on all models but the first.

    Returns:
        Whether each was promoted, and which is in use at the end.
    """
    used, best, past, promoted = 0, 0, [0], []
    for new in range(1, len(rights)):
        if rule == "luckiest":
            best = max(past, key=lambda one: int(rights[one].sum()))
        if rule == "old":
            good = _verdict(rights[new], rights[used]) != "worse"
        else:
            rivals = {used} if rule == "present" else {used, best}
            good = all(_bound(rights[new], rights[one]) > -MARGIN for one in rivals)
        promoted.append(good)
        if good:
            best = new if _verdict(rights[new], rights[best]) == "better" else best
            used = new
            past.append(new)
    return promoted, used


def measure(images: int, chains: int, seed: int) -> Iterator[Row]:
    """Draw so many chains, the same ones for every rule."""
    drift = START - STEP * np.arange(RETRAININGS + 1)
    equal, better, worse = (np.r_[START, np.full(RETRAININGS, START + more)] for more in (0, 0.02, -MARGIN))
    for rule in RULES:
        rng = np.random.default_rng([seed, images])
        lost, never = np.zeros((2, chains))
        shares: dict[str, list[list[bool]]] = {"equal": [], "better": [], "worse": []}
        for turn in range(chains):
            promoted, used = chain(models(drift, images, rng), rule)
            lost[turn], never[turn] = START - drift[used], all(promoted)
            for name, accuracies in (("equal", equal), ("better", better), ("worse", worse[:2])):
                shares[name].append(chain(models(accuracies, images, rng), rule)[0])
        first = {name: float(np.mean([one[0] for one in found])) for name, found in shares.items()}
        yield Row(
            *(images, rule, float(np.median(lost)), float(np.quantile(lost, 0.95)), float(never.mean())),
            *(first["equal"], float(np.mean(shares["equal"])), first["better"], float(np.mean(shares["better"]))),
            first["worse"],
        )


def _bound(right: np.ndarray, other: np.ndarray) -> float:
    return _bound_of(*_counts(right, other))


def _verdict(right: np.ndarray, other: np.ndarray) -> str:
    _, only_one, only_other, _ = _counts(right, other)
    if _p_value(only_one, only_other) >= 0.05:
        return "no difference shown"
    return "better" if only_one > only_other else "worse"


def _counts(right: np.ndarray, other: np.ndarray) -> tuple[int, int, int, int]:
    both, one, two = int((right & other).sum()), int(right.sum()), int(other.sum())
    return both, one - both, two - both, len(right) - one - two + both


@cache
def _bound_of(both: int, only_one: int, only_other: int, neither: int) -> float:
    counts = (both, only_one, only_other, neither)
    right, other = (np.repeat(column, counts) for column in ([True, True, False, False], [True, False, True, False]))
    # Balanced labels: accuracy counts.
    return lower_bound(right, other, np.arange(len(right)) % 2)


@cache
def _p_value(only_one: int, only_other: int) -> float:
    return float(mcnemar([[0, only_one], [only_other, 0]], exact=True).pvalue)


def _cells(row: Row) -> Sequence[str]:
    def percent(*shares: float) -> str:
        first, *rest = (f"{100 * share:.0f}" for share in shares)
        return f"{first} ({rest[0]})" if rest else first

    return [
        *(f"{row.images:,}", row.rule, f"{100 * row.lost_median:.1f}", f"{100 * row.lost_95:.1f}"),
        *(percent(row.never_refused), percent(row.equal_first, row.equal_all)),
        *(percent(row.better_first, row.better_all), percent(row.worse_first)),
    ]


@app.command()
def main(
    chains: Annotated[int, typer.Option(min=1, help="Chains of 50 retrainings drawn of each kind.")] = 200,
    seed: int = 0,
    as_json: Json = False,
) -> None:
    """Simulate every rule at every number of test images and print it."""
    rows = [row for images in IMAGES for row in measure(images, chains, seed)]
    if as_json:
        print(json.dumps({"chains": chains, "seed": seed, "rows": [asdict(row) for row in rows]}, indent=2))
        return
    columns = ["images", "rule", "lost, median", "lost, 95 %", "never refused", "equal"]
    columns += ["2 points better", "3 points worse"]
    show(
        columns,
        [_cells(row) for row in rows],
        f"{chains:,} chains of {RETRAININGS} retrainings; points lost, else per cent",
    )


if __name__ == "__main__":
    app()
