"""Training on all GPUs at once: each takes its share of every batch, and what they learn is averaged at each step.

With one GPU, or none, nothing of this happens. TensorFlow's MirroredStrategy does the work. For the mean over the
shares to be the mean over the batch, shares are of one size: the batch size is a multiple of the number of GPUs, and an
epoch leaves out the few images that do not go round, other ones each time.
"""

from contextlib import AbstractContextManager, nullcontext
from functools import cache

import tensorflow as tf

from stages.lib.core.errors import UserError


def visible() -> list[str]:
    """Names of the devices that a training shares its batches among."""
    return [device.name for device in tf.config.list_logical_devices("GPU")]


def sharing(batch_size: int) -> AbstractContextManager[object]:
    """A block in which models are built for all GPUs, and trained and measured on all of them.

    Args:
        batch_size: images per training step, on all devices together.

    Raises:
        UserError: batches of this size cannot be shared evenly.
    """
    found = visible()
    if len(found) < 2:
        return nullcontext()
    if batch_size % len(found):
        raise UserError(
            f"common.batch_size: expected a multiple of {len(found)}, the number of GPUs (CUDA_VISIBLE_DEVICES chooses "
            f"some of them). Received: {batch_size}"
        )
    print(f"on {len(found)} GPUs, {batch_size // len(found)} images of each batch on each", flush=True)
    return _strategy(tuple(found)).scope()


def count() -> int:
    """Number of devices that share a batch: more than one only inside the block of `sharing`."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def trained(images: int) -> int:
    """How many of so many images an epoch takes."""
    return images - images % count()


def measured(images: int, batch_size: int) -> int:
    """The largest batch size, up to a given one, with which every device gets images of every batch.

    Args:
        images: validation images.
        batch_size: the largest that may be.

    Returns:
        Images per batch, 1 to `batch_size`.

    Raises:
        UserError: there is none.
    """
    for size in range(batch_size, 0, -1):
        if all(_reaches_all(batch) for batch in (min(size, images), images % size or size)):
            return size
    raise UserError(
        f"expected more images to validate on than the {count()} GPUs, and as many in a batch. Received: {images} "
        f"images, common.batch_size {batch_size}"
    )


@cache
def _strategy(names: tuple[str, ...]) -> tf.distribute.Strategy:
    # One in a process: TensorFlow numbers what the devices exchange, and takes the numbers of another for its own.
    return tf.distribute.MirroredStrategy(names)


def _reaches_all(batch: int) -> bool:
    # TensorFlow rounds shares up: the last devices may get nothing.
    share = -(-batch // count())
    return share * (count() - 1) < batch
