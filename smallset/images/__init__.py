"""From the bytes of an image to its pixels, the same in training, evaluation and prediction."""
