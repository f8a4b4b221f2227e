"""Images made up so that the search for near copies would need a round for every few of them."""

import time
from dataclasses import replace

import numpy as np
import pytest

import stages.split
from stages.lib.duplicates import groups as duplicates
from stages.lib.duplicates.likeness import distances
from tests.stages.duplicates.test_duplicates import LIMIT, made
from tests.stages.split_inputs import numbered, run


def star(count: int) -> list[np.ndarray]:
    """Thumbnails, uint8 (48, 48, 3): all are copies of the first one, and hardly any of another."""
    rng = np.random.default_rng(0)
    down, across = np.mgrid[0:48, 0:48]
    # Not like its mirror image, which would be compared in place of others.
    light = (60 + 2.6 * across + 25 * np.sin((across + down) / 3))[..., np.newaxis]
    middle = (light * np.array([1, 0.9, 0.8])).clip(20, 220)
    blocks = [np.kron(rng.choice([-4, 4], (6, 6)), np.ones((8, 8)))[..., np.newaxis] for _ in range(count - 1)]
    return [image.round().astype(np.uint8) for image in (middle, *(middle + block for block in blocks))]


def test_the_star_is_one() -> None:
    images = np.stack(star(20))
    assert distances(np.stack([images[0]] * 19), images[1:]).max() <= LIMIT
    assert (distances(images[1:-1], images[2:]) > LIMIT).mean() > 0.9


def test_the_search_ends_and_says_that_it_was_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    images = [made(f"{place:064x}", image) for place, image in enumerate(star(300))]
    monkeypatch.setattr(duplicates, "_ROUNDS", 2)
    found = duplicates.search(images, LIMIT)
    assert found.growing >= 1
    assert (found.groups != np.arange(300)).sum() > 10
    # What was found is right.
    assert duplicates.compared(images, found.groups)[0].max() <= LIMIT


@pytest.mark.usefixtures("elsewhere")
def test_a_split_says_so_and_counts_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    content = numbered(cat=10, dog=10)
    assert "copies_not_searched" not in run(content).counts
    monkeypatch.setattr(stages.split, "search", lambda images, _: replace(duplicates.search(images, None), growing=3))
    assert run(content).counts["copies_not_searched"] == 3
    assert "near copies: 3 groups were still growing" in capsys.readouterr().out


@pytest.mark.slow
def test_the_time_does_not_grow_with_the_square() -> None:
    took = {}
    for count in (600, 2400):
        images = [made(f"{place:064x}", image) for place, image in enumerate(star(count))]
        began = time.process_time()
        duplicates.search(images, LIMIT)
        took[count] = time.process_time() - began
    print(took)
    assert took[2400] < 11 * took[600]  # sixteen would be the square
