"""Last layers that are near the worst case of a theorem, written down explicitly."""

import numpy as np


def rotated_simplex(C, T, s):
    """Unit class means turned by one angle in one plane each, and weights that are a simplex ETF.

    Half of the classes turn towards a direction that the last layer sees and half away from it, by
    the largest angle at which 1 - (mean log-odds)/T is at most s.
    """
    k = C / (C - 1)
    v = (np.eye(C) - 1 / C) * np.sqrt(k)
    towards = np.where(np.arange(C) < C / 2, 1.0, -1.0) / np.sqrt(C)
    across = np.sign(towards)[:, None] * towards
    across -= np.sum(across * v, axis=1, keepdims=True) * v
    across /= np.linalg.norm(across, axis=1, keepdims=True)

    def turned(angle):
        means = np.cos(angle) * v + np.sin(angle) * across
        logits = T / k * means @ v.T
        rivals = np.exp(logits - np.diag(logits)[:, None]) - np.eye(C)
        return means, 1 + np.log(rivals.sum(axis=1) / (C - 1)).mean() / T

    low, high = 0.0, np.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if turned(middle)[1] <= s else (low, middle)
    return turned(low)[0], T / k * v
