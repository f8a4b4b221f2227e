"""Stand-in of stages.lib.heads.logistic until that is here."""

import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression


class Head:
    def __init__(self, mu, sd, model, classes):
        self.mu, self.sd, self.model, self.classes = mu, sd, model, classes

    def probabilities(self, vectors):
        found = np.zeros((len(vectors), self.classes))
        found[:, self.model.classes_] = self.model.predict_proba((vectors - self.mu) / self.sd)
        return found


def fit(vectors, labels, groups, classes, seed, mirrored=None):
    mu, sd = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
    rows = (vectors - mu) / sd
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Head(mu, sd, LogisticRegression(C=0.01, max_iter=100).fit(rows, labels), classes)
