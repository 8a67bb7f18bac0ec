"""Matrices of balls that guarantees need: Gram matrices of weights, and of class means as seen."""

from __future__ import annotations

from typing import Any

import flint
import numpy as np

from ncbounds.arithmetic import balls
from ncbounds.measure.door import Floats
from ncbounds.measure.information import Information
from ncbounds.theory.proximity import alignment

#: Classes up to which C x C matrices are solved and raised to powers in balls.
MANY = 100
#: Share of the largest at which a centred weight counts as independent of others.
_INDEPENDENT = 1e-7


def projections(known: Information) -> Any:
    """Inner products of the class means' projections on the span of (some) centred weights.

    The Gram matrix of a largest set of independent centred weights is solved for; leaving out a
    direction only weakens what follows. None with too many classes.
    """
    from scipy.linalg import qr

    C, W = known.classes, known.weights
    if W is None or known.mean_logits is None or C > MANY:
        return None
    wdot = W - W.mean(axis=0)
    wdot /= np.abs(wdot).max() or 1.0
    _, R, order = qr(wdot.T, mode="economic", pivoting=True)
    sizes = np.abs(np.diag(R))
    kept = sorted(int(i) for i in order[: int((sizes > _INDEPENDENT * sizes[0]).sum())])
    centred = _centred(W)
    rows = flint.arb_mat([[centred[i, j] for j in range(W.shape[1])] for i in kept])
    seen = alignment.centred_mean_logits(balls, balls.asarray(known.mean_logits[None])).data[0][
        :, kept
    ]
    M = flint.arb_mat([list(row) for row in seen])
    solved = (rows * rows.transpose()).solve(M.transpose())
    product = M * solved
    gram = np.array([[product[c, r] for r in range(C)] for c in range(C)], dtype=object)
    return (gram + gram.T) / 2


def gram_of_weights(W: Floats) -> Any:
    """Inner products of the centred weights, (C, C) balls."""
    centred = _centred(W)
    product = centred * centred.transpose()
    return np.array([[product[c, r] for r in range(len(W))] for c in range(len(W))])


def _centred(W: Floats) -> Any:
    """The centred weights as a matrix of balls."""
    whole = flint.arb_mat(W.tolist())
    C, d = W.shape
    mean = flint.arb_mat([[flint.arb(1) / C] * C]) * whole
    return flint.arb_mat([[whole[c, j] - mean[0, j] for j in range(d)] for c in range(C)])


def centred_norm(W: Floats) -> Any:
    """Root mean square norm of the centred weights."""
    centred = _centred(W)
    square = sum((x * x for x in centred.entries()), flint.arb(0))
    return (square / len(W)).sqrt()
