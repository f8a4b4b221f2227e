"""What the report says of the images that a head learned from, where these are not all."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from stages.lib.page.deployed import deployed
from stages.lib.page.heads import sentence

COUNTS = {"train": 15_000, "validation": 5_000, "test": 5_000}


def linear(**head: Any) -> Any:
    about = {"kind": "logistic", "scaling": "unit length", "factor": 1} | head
    recommended = SimpleNamespace(name="feature_extraction", is_linear=True, summary={"head": about})
    return cast("Any", SimpleNamespace(recommended=recommended))


@pytest.mark.parametrize(
    ("refit", "said"),
    [
        ("all", "on 18,000, drawn by chance, of all 25,000 images"),
        ("validation", "on 18,000, drawn by chance, of the 20,000 training and validation images"),
    ],
)
def test_a_head_that_learns_from_some_of_the_images_is_not_said_to_learn_from_all(refit: Any, said: str) -> None:
    head = {"learned": 14_000, "of": 15_000, "most": 18_000}
    text = deployed(linear(**head), refit, COUNTS, resampled=False)
    assert said in text
    assert "fitted on 14,000 of them" in text
    assert "from 14,000 of the 15,000 training images" in sentence(linear(**head).recommended.summary)


def test_a_head_that_learns_from_all_says_no_more() -> None:
    results = linear(learned=15_000, of=15_000, most=100_000)
    assert "on all 25,000 images" in deployed(results, "all", COUNTS, resampled=True)
    assert "learned" not in sentence(results.recommended.summary)
