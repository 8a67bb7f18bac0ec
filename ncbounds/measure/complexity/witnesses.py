"""Tree networks that attain a supremum, evaluated in balls: a lower end that is beyond doubt."""

import math
from collections.abc import Sequence

import numpy as np
from flint import arb

from ncbounds.measure.complexity.arcs import directions
from ncbounds.measure.complexity.conventions import Array


def certify(X: Array, signs: Array, below: Array) -> tuple[Array, list[arb]]:
    """Evaluate the witnesses in balls: top directions (S, 2), and suprema that hold for certain.

    Kernels are divided by their exact norms, so that a rounded cosine cannot help the witness.
    """
    rows = [[arb(entry) for entry in x] for x in X.tolist()]
    tops, suprema = [], []
    for sigma, angles in zip(signs, below, strict=True):
        kernels = directions(angles)
        units = [_ball_features(x, kernels) for x in rows]
        signed = list(zip(units, sigma > 0, strict=True))
        top = [sum((u[j] if plus else -u[j] for u, plus in signed), arb(0)) for j in range(2)]
        norms = (_ball_norm(arb(p), arb(q)) for p, q in kernels.tolist())
        # |top| may be 0 or a ball around 0, whose square could turn negative: use lower ends.
        length = _ball_norm(top[0].abs_lower(), top[1].abs_lower())
        suprema.append((length / math.prod(norms, start=arb(1))).abs_lower())
        tops.append([float((t / length).mid()) for t in top] if length > 0 else [1.0, 0.0])
    return np.array(tops), suprema


def _ball_features(x: Sequence[arb], kernels: Array) -> Sequence[arb]:
    for p, q in kernels.tolist():
        first, second = arb(p), arb(q)
        x = [(first * x[k] + second * x[k + 1]).max(arb(0)) for k in range(0, len(x), 2)]
    return x


def _ball_norm(p: arb, q: arb) -> arb:
    return (p * p + q * q).sqrt()
