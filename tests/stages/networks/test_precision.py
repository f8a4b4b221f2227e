"""The precision that is asked for, or the one that is clearly faster."""

import keras
import pytest

from stages.lib.networks import precision
from stages.lib.networks.precision import choose, policy


class Clock:
    """Time that passes only where a step says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(precision, "_clock", lambda: lambda: self.now)

    def step(self, *seconds: float):
        """A step that takes so long the first, second... time."""
        remaining = iter(seconds)

        def run() -> None:
            self.now += next(remaining)

        return run


@pytest.mark.parametrize(
    ("float32", "bfloat16", "expected"),
    [
        ([9, 2, 2, 2], [9, 1, 1, 1], "mixed_bfloat16"),
        ([9, 1, 1, 1], [9, 2, 2, 2], "float32"),
        # Not clearly faster.
        ([9, 1.1, 1.1, 1.1], [9, 1, 1, 1], "float32"),
        # The first step compiles.
        ([1, 2, 2, 2], [30, 1, 1, 1], "mixed_bfloat16"),
        # Something else was going on.
        ([9, 1, 7, 8], [9, 1, 1, 1], "float32"),
        ([9, 2, 2, 2], [9, 8, 1, 7], "mixed_bfloat16"),
    ],
)
def test_auto_takes_bfloat16_where_it_is_clearly_faster(monkeypatch, capsys, float32, bfloat16, expected):
    clock = Clock(monkeypatch)
    steps = {"float32": clock.step(*float32), "mixed_bfloat16": clock.step(*bfloat16)}
    assert choose("scratch", "auto", steps.__getitem__) == expected
    assert f"scratch: in {expected}" in capsys.readouterr().out


def test_what_is_asked_for_is_not_measured():
    def step_in(_):
        raise AssertionError("built")

    assert choose("scratch", "mixed_bfloat16", step_in) == "mixed_bfloat16"


def test_layers_are_named_as_if_nothing_had_been_measured():
    keras.utils.clear_session()
    expected = keras.layers.Dense(1).name
    keras.utils.clear_session()
    choose("scratch", "auto", lambda _: keras.layers.Dense(1).get_config)
    assert keras.layers.Dense(1).name == expected


def test_a_policy_ends_with_its_block():
    before = keras.config.dtype_policy().name

    def fail():
        with policy("mixed_bfloat16"):
            assert keras.layers.Dense(1).compute_dtype == "bfloat16"
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert keras.config.dtype_policy().name == before == "float32"
