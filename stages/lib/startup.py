"""Start TensorFlow without the notes that its native parts print on a machine without a GPU."""

import os


def start_tensorflow(deterministic: bool = False) -> None:
    """Import TensorFlow and look for devices; what goes wrong is still raised.

    No setting silences those notes: they are written before TensorFlow has read its settings.

    Args:
        deterministic: only operations that give the same bits each time, for the rest of the process; one that has no
            such form is an error, and so is a random one without a seed.
    """
    terminal, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import tensorflow as tf

        tf.config.list_physical_devices()
        if deterministic:
            tf.config.experimental.enable_op_determinism()
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nowhere)
