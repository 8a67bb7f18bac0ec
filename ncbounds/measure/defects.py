"""The loss gap of a network, split exactly into named defects of neural collapse.

Three splits, each an identity that holds for every network (`bnwd:theorem-2.1`, sharp): what the
mean loss lacks to the best one at the norms of features and weights, in log-odds (`log`) and in
nats (`gap`), and what the regularised loss lacks to its minimum (`reg`). No term is negative.
"""

from __future__ import annotations

import numpy as np

from ncbounds.errors import InputError
from ncbounds.measure.door import Floats, admit

#: Names of the numbers that `loss_gap` gives besides the splits.
MEASURED = (
    *("loss", "log_odds", "alpha", "beta", "b", "centre", "margin", "off_class"),
    *("nc1.relative", "nc3.cosine"),
)
#: The defects of each split in order: the name of the number, and what it is in words.
SPLITS: dict[str, dict[str, str]] = {
    "log": {
        "misalignment": "misaligned features and weights",
        "off_class": "unequal off-class logits",
        "dispersion": "dispersion of the log-odds",
    },
    "gap": {
        "margins": "spread of the margins",
        "self_duality": "features off their weights",
        "centre": "mean of the weights",
        "off_class": "unequal off-class logits",
    },
}
SPLITS["reg"] = SPLITS["gap"]


def loss_gap(
    features: object, labels: object, weights: object, weight_decay: float = 0.0
) -> dict[str, float]:
    r"""Split the loss gap of a network without bias into its defects.

    With alpha, beta, b the root mean square norms of features, weights and centred weights, k =
    K/(K-1), phi(t) = log(1 + (K-1) e^(-t)), t = k <wdot_c, h> and G the log-mean-exp of the rival
    logits less their mean:

    - `log`: k alpha b - phi^-1(L) = misalignment + off_class + dispersion;
    - `gap`: L - phi(k alpha beta) = margins + self_duality + centre + off_class;
    - `reg`: the same of L + (lambda/2)(alpha^2 + K beta^2) less its least value, for a weight
      decay 0 < lambda < 1/sqrt(K).

    Parameters:
        features: (n, d) array or tensor, classes of equal size in any order.
        labels: (n,) integers, rows of the weights.
        weights: (K, d) weights of a last layer without bias.
        weight_decay: lambda; without one there is no `reg`.

    Returns:
        Numbers by name: those of `MEASURED`, then ``log.gap`` and so on; each ``SPLIT.gap`` is the
        sum of its defects.

    Raises:
        InputError: what `measure` refuses; classes of unequal size; norms of zero; a negative
            weight decay, or one that leaves no minimum but zero.

    Source: bnwd Theorem 2.1 and 2.2, sharp.

    >>> found = loss_gap([[3.0], [1.0], [-1.0], [-2.0]], [0, 0, 1, 1], [[1.0], [-1.0]])
    >>> found["log.off_class"] == 0.0  # of two classes there is one rival
    True
    """
    from ncbounds.arithmetic.floats import numpy_namespace
    from ncbounds.theory.proximity.near_optimal_loss import (
        class_mean,
        gap_split,
        last_layer,
        log_split,
        phi_inverse,
    )
    from ncbounds.theory.weight_decay.regularised import regularised_split

    if weights is None:
        raise InputError("weights", "missing", "given: the loss is that of the last layer")
    samples = admit(features, labels, weights, None)
    if samples.counts.min() < samples.counts.max():
        sizes = f"classes of {samples.counts.min()} to {samples.counts.max()} samples"
        raise InputError("labels", sizes, "equally many of each class")
    if not 0 <= weight_decay < samples.K**-0.5:
        domain = f"at least 0 and below 1/sqrt(K) = {samples.K**-0.5:.4g}"
        raise InputError("weight_decay", weight_decay, domain)
    xp = numpy_namespace()
    order = np.argsort(samples.index, kind="stable")
    h = np.asarray(samples.features)[order].astype(np.float64)
    h = h.reshape(1, samples.K, -1, samples.d)
    w = np.asarray(samples.weights)[None]
    net = last_layer(xp, h, w)
    if not (net.alpha > 0 and net.b > 0):
        raise InputError("features, weights", "zero or all equal", "of positive norms")
    found = {
        "loss": net.loss,
        "log_odds": class_mean(xp, phi_inverse(xp, net.losses, net.C - 1)),
        "alpha": net.alpha,
        "beta": net.beta,
        "b": net.b,
        "centre": net.centre,
        "margin": class_mean(xp, net.margins),
        "off_class": class_mean(xp, net.off_class),
    }
    splits = {"log": log_split(xp, net), "gap": gap_split(xp, net, w, h)}
    if weight_decay:
        splits["reg"] = regularised_split(xp, net, w, h, np.array([weight_decay]))
    found |= {f"{name}.{key}": v for name, parts in splits.items() for key, v in parts.items()}
    numbers = {name: float(value[0]) for name, value in found.items()}
    if not np.isfinite(list(numbers.values())).all():
        raise InputError(
            "weights", "logits beyond float64", "such that the loss is a positive number"
        )
    return numbers | _collapse(h[0], w[0])


def _collapse(h: Floats, w: Floats) -> dict[str, float]:
    """NC1 and NC3 by their names in `ncbounds.measure`; NC3 is nan where all class means vanish."""
    means, directions = h.mean(axis=1), w - w.mean(axis=0)
    lengths = np.linalg.norm(directions) * np.linalg.norm(means)
    return {
        "nc1.relative": float(np.square(h - means[:, None]).sum() / np.square(h).sum()),
        "nc3.cosine": float((directions * means).sum() / lengths) if lengths > 0 else float("nan"),
    }
