"""Start TensorFlow and Keras the same way everywhere, whatever a person has set for other projects."""

import os
from pathlib import Path

from safety.words import in_one_line
from stages.lib.core.errors import UserError
from stages.lib.core.versions import require_backend

# Keras's own means to shorten a training while looking for a mistake; they would shorten ours without a word.
_LIMITS = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH")


def start_tensorflow(deterministic: bool = False) -> None:
    """Import TensorFlow and Keras without their notes on a machine without a GPU; what goes wrong is still raised.

    No setting silences those notes: they are written before TensorFlow has read its settings. Keras gets the settings
    that every result here is made with; those of ~/.keras/keras.json and of the environment do not count.

    Args:
        deterministic: only operations that give the same bits each time, for the rest of the process; one that has no
            such form is an error, and so is a random one without a seed.

    Raises:
        UserError: Keras is to compute with something else than TensorFlow, or cannot read its keras.json.
    """
    require_backend()
    terminal, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import tensorflow as tf

        tf.config.list_physical_devices()
        if deterministic:
            tf.config.experimental.enable_op_determinism()
        _settle_keras()
    except (ValueError, AssertionError) as error:
        # Both read it on import.
        file = Path(os.environ.get("KERAS_HOME", "~/.keras"), "keras.json")
        if not file.expanduser().is_file():
            raise
        raise UserError(f"{file}: TensorFlow or Keras cannot use it, delete it: {in_one_line(error)}") from None
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nowhere)


def _settle_keras() -> None:
    for name in _LIMITS:
        os.environ.pop(name, None)
    import keras

    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)
