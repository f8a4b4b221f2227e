"""How a model is fitted: batches, augmentation, epochs, checkpoints."""
