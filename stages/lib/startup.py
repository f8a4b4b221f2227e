"""Start TensorFlow without the notes that its native parts print on a machine without a GPU."""

import os


def start_tensorflow() -> None:
    """Import TensorFlow and look for devices; what goes wrong is still raised.

    No setting silences those notes: they are written before TensorFlow has read its settings.
    """
    terminal, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import tensorflow as tf

        tf.config.list_physical_devices()
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nowhere)
