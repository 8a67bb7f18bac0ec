"""Guarantees from a few given numbers: no data, no measurement."""

from __future__ import annotations

from typing import Any

import flint
import numpy as np

from ncbounds.arithmetic import balls
from ncbounds.codes.margin import host_array
from ncbounds.errors import InputError
from ncbounds.measure.door import Floats
from ncbounds.measure.information import Information, enclose
from ncbounds.report.guarantees import BITS, Certificate, certificate
from ncbounds.report.matrices import centred_norm
from ncbounds.theory.proximity import alignment
from ncbounds.theory.proximity.near_optimal_loss import phi_inverse


def proximity_certificate(
    *,
    classes: int,
    alpha: object,
    beta: object = None,
    loss: object = None,
    log_odds: object = None,
    weights: object = None,
    bias: object = None,
    mean_logits: object = None,
    class_alpha: object = None,
    class_log_odds: object = None,
    centred: bool = False,
) -> Certificate:
    """Guarantee proximity to neural collapse from a few measured numbers, without any data.

    Means run over the samples of a class, then over the classes. A float32 number stands for the
    numbers within 2^-18 of it relatively, a float64 for those within 10^-12; integers and
    fractions are exact. For a model whose features are at hand `ncbounds.compare` measures all
    that this takes, and more, and sets the guarantees beside what is measured.

    Parameters
    ----------
    classes
        Number of classes C >= 2.
    alpha
        Root mean square feature norm, > 0.
    beta
        Root mean square norm of the rows of the last layer, > 0; of the centred rows it gives
        better guarantees. With `weights` it is computed.
    loss
        Mean cross-entropy, > 0; nothing follows from a loss of log C or more.
    log_odds
        Mean of the logit of the true class less the log-sum-exp of the others, plus log(C-1):
        `logodds.mean` of `ncbounds.measure`.
    weights, bias
        (C, d) and (C,), the last layer, exact as they are; without `bias` it has none.
    mean_logits
        (C, C), row c the mean logits over the samples of class c, the biases included.
    class_alpha
        (C,) root mean square feature norms of the classes; needed for cosines of class means.
    class_log_odds
        (C,), the same as `log_odds` for each class, with `class_alpha` and `weights`: if `centred`,
        it adds the norms and angles of class means, one class at a time.
    centred
        Whether `alpha` and `class_alpha` are norms of the features less their global mean, the mean
        of the class means. It adds the cosines within and between classes, which are defined for
        such features, and `bias` must then be the logits at the global mean.

    Returns
    -------
    Certificate
        Upper bounds by quantity (the names are those of `ncbounds.measure`) and level.

    Raises
    ------
    InputError
        When a number is not finite or outside its range, shapes do not fit, or nothing is given
        that could guarantee anything; when no network has these numbers.

    Source: `bnwd:theorem-2.1` (sharp), `bnwd:sharp-1` to `bnwd:sharp-5`.

    Examples
    --------
    >>> found = proximity_certificate(classes=10, alpha=2, beta=3, loss=0.02, log_odds=6.2)
    >>> print(found)  # doctest: +NORMALIZE_WHITESPACE
    nc1.relative             <= 0.163    mean loss      bnwd:theorem-2.1
    1 - nc3.cosine           <= 0.08512  mean loss      bnwd:theorem-2.1
    self-duality.distance    <= 0.1703   mean loss      bnwd:theorem-2.1
    nc1.relative             <= 0.1352   mean log-odds  bnwd:sharp-1
    1 - nc3.cosine           <= 0.07001  mean log-odds  bnwd:sharp-1
    self-duality.distance    <= 0.1401   mean log-odds  bnwd:sharp-1
    1 - cosine.weights.mean  <= 0.08512  mean loss      bnwd:sharp-2
    """
    if isinstance(classes, bool) or not isinstance(classes, (int, np.integer)) or classes < 2:
        raise InputError("classes", classes, "an integer of at least 2")
    classes = int(classes)
    W = None if weights is None else _matrix("weights", weights, classes)
    if beta is None and W is None:
        raise InputError("beta", "missing", "given, or computed from weights")
    if all(given is None for given in (loss, log_odds, mean_logits, class_log_odds)):
        raise InputError("loss", "missing", "given, or log_odds, class_log_odds or mean_logits")
    for name, given in (("mean_logits", mean_logits), ("class_log_odds", class_log_odds)):
        if given is not None and W is None:
            raise InputError("weights", "missing", f"given with {name}")
    if class_log_odds is not None and class_alpha is None:
        raise InputError("class_alpha", "missing", "given with class_log_odds")
    odds = None if class_log_odds is None else _odds(class_log_odds, classes)
    if log_odds is not None:
        mean_odds = enclose(log_odds, "log_odds")
    else:
        mean_odds = None if odds is None else sum(odds, flint.arb(0)) / classes
    b = np.zeros(classes) if bias is None else _array("bias", bias, (classes,))
    b = b.astype(np.float64)
    known = Information(
        classes=classes,
        alpha=_positive(alpha, "alpha"),
        beta=_positive(beta, "beta") if W is None else _norm_of(W),
        loss=None if loss is None else _positive(loss, "loss"),
        log_odds=mean_odds,
        weights=W,
        bias=np.array([flint.arb(x) for x in b]),
        class_alpha=None if class_alpha is None else _vector("class_alpha", class_alpha, classes),
        class_log_odds=odds,
        mean_logits=None if mean_logits is None else _logits(mean_logits, b, classes),
    )
    _check_possible(known)
    return certificate(known, ".centred" if centred else "", centred)


# -- numbers that are given -----------------------------------------------------------------------


def _check_possible(known: Information) -> None:
    """Refuse numbers that no network has: each level is at least the one before, at most T."""
    C = known.classes
    with balls.precision(BITS):
        most = known.alpha * known.beta * C / (C - 1)
        least = ((C - 1) * (-most).exp()).log1p()
        if known.loss is not None and known.loss < least:
            domain = f"at least {float(least.mid()):.6g}, the least loss at these norms"
            raise InputError("loss", float(known.loss.mid()), domain)
        from_loss = None if known.loss is None else phi_inverse(balls, known.loss, C - 1)
        margin = None
        if known.mean_logits is not None:
            margin = alignment.mean_margin(balls, balls.asarray(known.mean_logits[None])).data[0]
        for name, number in (("log_odds", known.log_odds), ("mean_logits", margin)):
            if number is not None and number > most:
                domain = f"at most C/(C-1) alpha beta = {float(most.mid()):.6g}"
                raise InputError(name, float(number.mid()), f"{domain} in the mean margin")
            if number is not None and from_loss is not None and number < from_loss:
                domain = f"at least {float(from_loss.mid()):.6g}, which the mean loss implies"
                raise InputError(name, float(number.mid()), f"{domain} for the mean margin")
        if margin is not None and known.log_odds is not None and margin < known.log_odds:
            domain = "a mean margin of at least log_odds"
            raise InputError("mean_logits", float(margin.mid()), domain)
        if known.class_log_odds is not None:
            mean = sum(known.class_log_odds, flint.arb(0)) / C
            if not mean.overlaps(known.log_odds):
                domain = f"of mean log_odds = {float(known.log_odds.mid()):.6g}"
                raise InputError("class_log_odds", float(mean.mid()), domain)
        if known.class_alpha is not None:
            square = sum((a * a for a in known.class_alpha), flint.arb(0)) / C
            if not square.overlaps(known.alpha * known.alpha):
                domain = f"of root mean square alpha = {float(known.alpha.mid()):.6g}"
                raise InputError("class_alpha", float(square.sqrt().mid()), domain)


def _norm_of(W: Floats) -> Any:
    found = centred_norm(W)
    if not found > 0:
        raise InputError("weights", "rows that are all equal", "of at least two different rows")
    return found


def _positive(value: object, parameter: str) -> Any:
    found = enclose(value, parameter)
    if not found > 0:
        raise InputError(parameter, value, "a positive number")
    return found


def _array(parameter: str, value: object, shape: tuple[int, ...]) -> Any:
    """A finite array of the shape, in which -1 stands for any length but 0."""
    array = host_array(parameter, value)
    fits = array.ndim == len(shape) and all(
        n == m or (m == -1 and n > 0) for n, m in zip(array.shape, shape, strict=True)
    )
    if not fits:
        expected = str(shape).replace("-1", "d")
        raise InputError(parameter, f"array of shape {array.shape}", expected)
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise InputError(parameter, f"array of dtype {array.dtype}", "of finite real numbers")
    return array


def _matrix(parameter: str, value: object, C: int) -> Floats:
    found: Floats = _array(parameter, value, (C, -1)).astype(np.float64)
    return found


def _vector(parameter: str, value: object, C: int) -> Any:
    return np.array([_positive(x, parameter) for x in _array(parameter, value, (C,))])


def _odds(value: object, C: int) -> Any:
    name = "class_log_odds"
    return np.array([enclose(x, name) for x in _array(name, value, (C,))])


def _logits(value: object, bias: Floats, C: int) -> Any:
    found = [
        [enclose(x, "mean_logits") - flint.arb(b) for x, b in zip(row, bias, strict=True)]
        for row in _array("mean_logits", value, (C, C))
    ]
    return np.array(found, dtype=object)
