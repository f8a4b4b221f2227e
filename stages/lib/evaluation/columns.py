"""The columns of the tables that `evaluate` writes: also a model that is turned off has them, without any library.

Beside these, tables of predictions have a column of each class: `stages.lib.inference.predictions`.
"""

# The history of a training, which its stage wrote; a test compares.
CURVES = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy")
CONFUSION = ("actual", "predicted")
ROC = ("false_positive_rate", "true_positive_rate")
PER_CLASS = ("class", "images", "precision", "recall", "recall_low", "recall_high", "f1")
CALIBRATION = ("confidence", "accuracy", "low", "high", "images")
EXPLANATIONS = ("file", "path", "label", "predicted", "confidence")
