"""What mean logits show of the class means: their projections on the span of the last layer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ncbounds.errors import InputError

Array = npt.NDArray[np.float64]


def projected_gram(weights: Array, mean_logits: Array, bias: Array | None = None) -> Array:
    """Inner products of the class means' projections on the span of the centred weights.

    They are all that `bnwd:sharp-4` (mean logits) asks of the class means, and
    `ncbounds.theory.class_pairs.cosines_from_logits` turns them into cosines with radii.

    Parameters
    ----------
    weights
        Last-layer weights, (C, d).
    mean_logits
        Row c holds the mean logits of the samples of class c, (C, C).
    bias
        Biases of the last layer, (C,), which the logits include; without them, none.

    Returns
    -------
    Array
        ``Z K^+ Z^T`` of shape (C, C), with Z the mean logits less bias and mean over the classes,
        and K the Gram matrix of the centred weights.

    Raises
    ------
    InputError
        When shapes do not fit or a number is not finite.

    Source: `bnwd:sharp-4`, mean logits.

    Examples
    --------
    >>> import numpy as np
    >>> weights = np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    >>> means = np.array([[2.0, 5.0, 1.0], [-3.0, 4.0, 0.0]])
    >>> projected_gram(weights, means @ weights.T).round(12)
    array([[ 4., -6.],
           [-6.,  9.]])
    """
    weights, logits = np.asarray(weights, np.float64), np.asarray(mean_logits, np.float64)
    if weights.ndim != 2 or len(weights) < 2:
        raise InputError("weights", weights.shape, "of shape (C, d) with C >= 2")
    C = len(weights)
    if logits.shape != (C, C):
        raise InputError("mean_logits", logits.shape, f"of shape ({C}, {C})")
    offsets = np.zeros(C) if bias is None else np.asarray(bias, np.float64)
    if offsets.shape != (C,):
        raise InputError("bias", offsets.shape, f"of shape ({C},)")
    if not all(np.isfinite(x).all() for x in (weights, logits, offsets)):
        raise InputError("weights, mean_logits or bias", "NaN or infinite", "finite")
    centred = weights - weights.mean(axis=0)
    shown = logits - offsets
    shown = shown - shown.mean(axis=1, keepdims=True)
    projections = shown @ np.linalg.pinv(centred).T
    return np.asarray(projections @ projections.T)
