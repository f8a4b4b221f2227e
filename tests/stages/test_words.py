"""A number of things in words, where it is one."""

import pytest

from flows.terminal.words import counted as counted_by_flows
from stages.lib.images.words import counted


@pytest.mark.parametrize("words", [counted, counted_by_flows])
def test_one_thing_is_no_several(words):
    assert [words(number, "image") for number in (0, 1, 2, 1200)] == ["0 images", "1 image", "2 images", "1,200 images"]
    assert [words(number, "copy is", "copies are") for number in (1, 2)] == ["1 copy is", "2 copies are"]
