"""The precision of a computation: one that is asked for, or the one that is clearly faster on this machine."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

from stages.lib.core.params import AskedPrecision, Precision
from stages.lib.networks import lora

_PRECISIONS: tuple[Precision, ...] = ("float32", "mixed_bfloat16")
_WARM_UP, _MEASURED = 1, 3  # steps
# A smaller gain is left: so near to one, a busy moment of the machine would decide, and another run otherwise.
_CLEARLY = 1.2

Step = Callable[[], object]


def choose(stage: str, asked: AskedPrecision, step_in: Callable[[Precision], Step]) -> Precision:
    """What is asked for; of "auto", mixed_bfloat16 where it is clearly faster than float32.

    No flag of a processor says so: it depends on the layers, and on which of them have a fast form in bfloat16.

    Args:
        stage: name of the stage, for what is printed.
        asked: "auto", or the precision itself.
        step_in: builds the computation in a precision and gives a function that does one step of it. It builds on
            nothing that is used later: the steps change weights and random sequences.
    """
    if asked != "auto":
        return asked
    steps = {precision: step_in(precision) for precision in _PRECISIONS}
    seconds: dict[Precision, list[float]] = {precision: [] for precision in _PRECISIONS}
    clock = _clock()
    for _ in range(_WARM_UP + _MEASURED):
        for precision, step in steps.items():
            start = clock()
            step()
            seconds[precision].append(clock() - start)
    # The shortest: whatever else the machine does only ever adds.
    float32, bfloat16 = (min(seconds[precision][_WARM_UP:]) for precision in _PRECISIONS)
    chosen: Precision = "mixed_bfloat16" if float32 >= _CLEARLY * bfloat16 else "float32"
    print(f"{stage}: in {chosen}; mixed_bfloat16 is {float32 / bfloat16:.2f} times as fast as float32 here", flush=True)
    # Layers get the names that they would have had without the two models.
    keras.utils.clear_session()
    return chosen


def _clock() -> Callable[[], float]:
    # The processors' own time is the same however busy the machine is; a GPU has none.
    return time.perf_counter if tf.config.list_physical_devices("GPU") else time.process_time


def rebuilt(model: keras.Model, precision: Precision) -> keras.Model:
    """A copy of a functional model, its weights too, all of whose layers compute in a precision."""
    with policy(precision):
        copied = keras.models.clone_model(
            model, clone_function=lambda layer: type(layer).from_config(layer.get_config() | {"dtype": precision})
        )
    copied.set_weights(lora.plain_weights(model))
    return copied


@contextmanager
def policy(precision: Precision) -> Iterator[None]:
    """Layers that are built in the block compute in `precision`, unless they are told otherwise."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
