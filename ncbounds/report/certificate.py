"""What a few numbers of a trained network guarantee about its collapse.

Four levels of information, each a matter of one pass over the data: the mean loss; the mean
log-odds, better at the same cost; the matrix of mean logits; the losses of all samples with the
weights. A guarantee is evaluated in balls from balls (`ncbounds.measure.information`) and its worse
end is told. Everything is `sharp`: the theorems are `bnwd:theorem-2.1` and `bnwd:sharp-1` to 4.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.certified import Decimal, round_ball
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.errors import InputError
from ncbounds.measure.door import Floats
from ncbounds.measure.information import Information, enclose
from ncbounds.measure.rival_weights import rival_weights
from ncbounds.theory import alignment, class_pairs, metrics, one_class, weight_cosines
from ncbounds.theory.proximity import phi_inverse

LEVELS = ("mean loss", "mean log-odds", "mean logits", "losses and weights")
_BITS, _DIGITS, _LAST = 160, 12, 131072
#: Classes up to which C x C matrices are solved and raised to powers in balls.
_MANY = 100
_U = 2.0**-53
#: The value that holds without any guarantee; for what is not here it is C/(C-1).
_TRIVIAL = {
    "nc1.relative": 1,
    "1 - nc3.cosine": 2,
    "self-duality.distance": 4,
    "1 - cosine.weights.mean": 2,
    "1 - cosine.intra.mean": 1,
    "1 - cosine.intra.min": 1,
}


@dataclass(frozen=True)
class Guarantee:
    """An upper bound on one quantity, what it was derived from, and whether it says anything."""

    id: str
    reading: str
    quantity: str
    level: str
    bound: Decimal
    vacuous: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "id": self.id,
            "variant": "sharp",
            "reading": self.reading,
            "quantity": self.quantity,
            "level": self.level,
            "bound": float(self.bound),
            "vacuous": self.vacuous,
        }


@dataclass(frozen=True)
class Certificate:
    """All guarantees that some information gives, and the reasons why others are missing."""

    guarantees: tuple[Guarantee, ...]
    skipped: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"guarantees": [g.to_dict() for g in self.guarantees], "skipped": self.skipped}

    def best(self, quantity: str) -> Guarantee:
        """Return the smallest bound on a quantity.

        Raises
        ------
        InputError
            When nothing bounds it.
        """
        found = [g for g in self.guarantees if g.quantity == quantity]
        if not found:
            known = ", ".join(dict.fromkeys(g.quantity for g in self.guarantees))
            raise InputError("quantity", quantity, f"one of {known}")
        return min(found, key=lambda g: float(g.bound))

    def __str__(self) -> str:
        rows = [(g.quantity, f"<= {float(g.bound):.4g}", g.level, g.id) for g in self.guarantees]
        widths = [max(len(row[i]) for row in rows) for i in range(3)] if rows else [0] * 3
        lines = [
            "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[3]])
            + ("  vacuous" if g.vacuous else "")
            for row, g in zip(rows, self.guarantees, strict=True)
        ]
        return "\n".join([*lines, *(f"{name}: {why}" for name, why in self.skipped.items())])


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
        (C, d) and (C,), the last layer.
    mean_logits
        (C, C), row c the mean logits over the samples of class c.
    class_alpha
        (C,) root mean square feature norms of the classes; needed for cosines of class means.

    Returns
    -------
    Certificate
        Upper bounds by quantity (the names are those of `ncbounds.measure`) and level.

    Raises
    ------
    InputError
        When a number is not finite or outside its range, shapes do not fit, or nothing is given
        that guarantees anything.

    Source: `bnwd:theorem-2.1` (sharp), `bnwd:sharp-1`, `bnwd:sharp-2`, `bnwd:sharp-4`.

    Examples
    --------
    >>> found = proximity_certificate(classes=10, alpha=2.0, beta=3.0, loss=0.02, log_odds=6.2)
    >>> print(found)  # doctest: +NORMALIZE_WHITESPACE
    """
    if not isinstance(classes, int) or classes < 2:
        raise InputError("classes", classes, "an integer of at least 2")
    W = None if weights is None else _matrix("weights", weights, classes)
    if beta is None and W is None:
        raise InputError("beta", "missing", "given, or computed from weights")
    if loss is None and log_odds is None and mean_logits is None:
        raise InputError("loss", "missing", "given, or log_odds or mean_logits")
    if mean_logits is not None and W is None:
        raise InputError("weights", "missing", "given with mean_logits")
    b = np.zeros(classes) if bias is None else np.asarray(bias, dtype=np.float64)
    if b.shape != (classes,) or not np.isfinite(b).all():
        raise InputError("bias", f"array of shape {b.shape}", f"({classes},) finite numbers")
    known = Information(
        classes=classes,
        alpha=_positive(alpha, "alpha"),
        beta=_positive(beta, "beta") if W is None else _centred_norm(W),
        loss=None if loss is None else _positive(loss, "loss"),
        log_odds=None if log_odds is None else enclose(log_odds, "log_odds"),
        weights=W,
        bias=np.array([flint.arb(x) for x in b]),
        class_alpha=None if class_alpha is None else _vector("class_alpha", class_alpha, classes),
        mean_logits=None if mean_logits is None else _logits(mean_logits, b, classes),
    )
    _check_possible(known)
    return certificate(known)


def certificate(known: Information, centred: str = "", cosines: bool = True) -> Certificate:
    """Evaluate every guarantee that the information allows; `centred` is added to names.

    Without `cosines` none of intra-class and inter-class cosines and of class means, which are
    defined for centred features.
    """
    found: list[Guarantee] = []
    skipped: dict[str, str] = {}
    with balls.precision(_BITS):
        found += _alignment(known, centred, skipped)
        means = dict(_weight_cosines(known))
        for level, mean in means.items():
            reading = "the mean loss alone" if level == LEVELS[0] else "measured losses"
            found += _row(
                known, "bnwd:sharp-2", reading, f"1 - cosine.weights.mean{centred}", level, 1 - mean
            )
            if cosines:
                kept = _largest(mean, 0)
                deficit = 1 - kept * kept
                found += _row(
                    known, "bnwd:sharp-2", reading, "1 - cosine.intra.mean", level, deficit
                )
        if cosines and known.weights is not None:
            found += _of_classes(known)
            if known.classes > _MANY:
                skipped["bnwd:sharp-4"] = f"more than {_MANY} classes"
            else:
                found += _inter_class(known, means)
                found += _class_means(known)
        if known.weights is not None and known.classes <= _MANY and not centred:
            found += _products_of_means(known)
    return Certificate(tuple(found), skipped)


# -- rows -----------------------------------------------------------------------------------------


def _row(
    known: Information, id: str, reading: str, quantity: str, level: str, bound: Any
) -> list[Guarantee]:
    """An upper bound, rounded up; none where it has no value."""
    ball = bound.data.ravel()[0] if isinstance(bound, balls.Balls) else bound
    upper = ball.upper() if ball.is_finite() else None
    value = None if upper is None else round_ball(upper, _DIGITS, _LAST)
    if upper is None or value is None:
        return []
    C = known.classes
    trivial = _TRIVIAL.get(quantity.removesuffix(".centred"), flint.arb(C) / (C - 1))
    if quantity == "nc2.equinorm":
        trivial = flint.arb(C - 1).sqrt()
    return [Guarantee(id, reading, quantity, level, value, bool(not upper < trivial))]


def _one(value: Any) -> balls.Balls:
    """A number, or an array, as a batch of one."""
    return balls.asarray(np.asarray(value, dtype=object)[None])


def _largest(x: Any, y: Any) -> Any:
    return balls.maximum(x, 0 * x + y)


def _margins(known: Information) -> dict[str, Any]:
    """Lower bounds on the mean log-odds, by level."""
    margins = {}
    if known.loss is not None and known.loss < flint.arb(known.classes).log():
        margins[LEVELS[0]] = phi_inverse(balls, _one(known.loss), known.classes - 1)
    if known.log_odds is not None:
        margins[LEVELS[1]] = _one(known.log_odds)
    return margins


def _alignment(known: Information, centred: str, skipped: dict[str, str]) -> Iterator[Guarantee]:
    """NC1, NC3 and self-duality from a mean margin that is guaranteed or known."""
    margins = _margins(known)
    if known.loss is not None and LEVELS[0] not in margins:
        loss = float(known.loss.mid())
        name = f"bnwd:theorem-2.1 (sharp{', centred' if centred else ''})"
        skipped[name] = f"the mean loss {loss:.4g} is at or above log C"
    if known.mean_logits is not None:
        margins[LEVELS[2]] = alignment.mean_margin(balls, _one(known.mean_logits))
    given = {"C": _one(known.classes), "alpha": _one(known.alpha), "beta": _one(known.beta)}
    for level, p in margins.items():
        numbers = {**given, "p": p}
        theorem = (
            ("bnwd:theorem-2.1", "guarantee from the loss")
            if level == LEVELS[0]
            else ("bnwd:sharp-1", "three levels of information")
        )
        share = alignment.reach(balls, **numbers)
        variability = alignment.variability(balls, **numbers)
        if level == LEVELS[2]:
            theorem_of_nc1 = ("bnwd:sharp-1", "from mean logits")
            gram = _projections(known)
            if gram is None:
                skipped[f"bnwd:sharp-1, from mean logits{centred}"] = f"more than {_MANY} classes"
            else:
                Q = _one(sum(gram.diagonal(), flint.arb(0)) / known.classes)
                variability = alignment.variability_from_projections(
                    balls, alpha=given["alpha"], Q=Q
                )
        else:
            theorem_of_nc1 = theorem
        for (id, reading), quantity, bound in (
            (theorem_of_nc1, "nc1.relative", variability),
            (theorem, "1 - nc3.cosine", alignment.cosine_deficit(balls, share)),
            (theorem, "self-duality.distance", alignment.distance(balls, **numbers)),
        ):
            yield from _row(known, id, reading, quantity + centred, level, bound)


def _weight_cosines(known: Information) -> Iterator[tuple[str, Any]]:
    """Lower bounds on the mean cosine of features and their centred weights, by level."""
    C = known.classes
    given = {"C": _one(C), "alpha": _one(known.alpha), "beta": _one(known.beta)}
    if known.loss is not None and _raised_loss(known) < flint.arb(C).log():
        L = _one(_raised_loss(known).upper())
        numbers = {name: float(x.data[0].upper()) for name, x in given.items() if name != "C"}
        most = float(L.data[0])
        q, kappa = weight_cosines.best_tangent(C, most, **numbers, delta=1.0)
        tangent = {"delta": _one(1), "q": _one(q), "kappa": _one(kappa)}
        mean = weight_cosines.share_cosine(balls, **given, L=L, **tangent)
        small = 2 * phi_inverse(balls, L, C - 1) - balls.exp(L)
        if balls.certainly_nonnegative(small).all():
            mean = balls.maximum(mean, weight_cosines.loss_cosine(balls, **given, L=L))
        yield LEVELS[0], mean
    if known.sample_log_odds is not None and known.weights is not None:
        yield LEVELS[3], _one(_from_losses(known))


def _raised_loss(known: Information) -> Any:
    """The mean loss, raised by what biases can have lowered it."""
    bias = _one(np.zeros(known.classes) if known.bias is None else known.bias)
    raised = weight_cosines.raised_loss(balls, _one(known.loss), bias)
    return raised.data[0]


def _from_losses(known: Information) -> Any:
    """The priced bound in floats, lowered by what rounding can have added."""
    C, W = known.classes, known.weights
    assert W is not None and known.sample_log_odds is not None
    xp, lengths = numpy_namespace(), _norms(W - W.mean(axis=0)) * (1 + 1e-12)
    alpha = np.array([float(known.alpha.upper()) * (1 + 1e-12)])
    along = []
    for p, offset, length in zip(known.sample_log_odds, _offsets(known), lengths, strict=True):
        lowered = p[None, None] - float(offset.upper())
        along.append(
            weight_cosines.components(xp, C, lowered, np.array([[length]]), alpha) * (1 - 1e-12)
        )
    whole = [np.ones_like(rows) for rows in along]

    def bound(exponent: float) -> float:
        price = np.array([10.0**exponent])
        parts = [
            float(weight_cosines.priced_cosine(xp, rows, ones, np.ones(1), price)[0])
            for rows, ones in zip(along, whole, strict=True)
        ]
        lowered: float = np.mean(parts) - 1e-12 * (1 + 10.0**exponent)
        return lowered

    from scipy.optimize import minimize_scalar

    best = minimize_scalar(lambda x: -bound(x), bounds=(-8.0, 8.0), method="bounded")
    return flint.arb(bound(float(best.x)))


def _of_classes(known: Information) -> Iterator[Guarantee]:
    """The worst class, and how equal the norms of the class means are, one class at a time."""
    if known.class_log_odds is None or known.class_alpha is None or known.weights is None:
        return
    C, W = known.classes, known.weights
    bias = np.array([float(x.mid()) for x in known.bias])
    rivals = flint.arb(C - 1).log()
    lengths, intra = [], []
    for c in range(C):
        odds = known.class_log_odds[c] - rivals
        found = rival_weights(W, c, float(odds.mid()), bias)
        omega, constant = _rival_direction(known, c, found.probabilities)
        lengths.append(_largest(constant + odds, 0) / omega)
        if known.sample_log_odds is not None:
            rows = known.sample_log_odds[c] + float((constant - rivals).lower()) - 1e-12
            margins = rows[None]
            kept = (margins > 0).astype(np.float64)
            worth = one_class.mean_cosine_of_class(
                numpy_namespace(),
                margins,
                kept,
                np.array([float(omega.upper())]),
                np.array([float(known.class_alpha[c].upper())]),
            )
            intra.append(max(0.0, float(worth[0]) - 1e-12) ** 2)
    if intra:
        deficit = flint.arb(1 - min(intra)) + 1e-15
        yield from _row(
            known, "bnwd:sharp-3", "mean cosine", "1 - cosine.intra.min", LEVELS[3], deficit
        )
    least = _one(np.array(lengths, dtype=object))
    total = sum(lengths, flint.arb(0)) / C
    if total > 0:
        deviation = one_class.norm_deviation(balls, least, _one(known.class_alpha))
        bound = deviation.data[0] / total
        yield from _row(known, "bnwd:sharp-3", "equal norms", "nc2.equinorm", LEVELS[3], bound)


def _rival_direction(known: Information, c: int, pi: Floats) -> tuple[Any, Any]:
    """|omega|, and entropy plus biases, of probabilities that are scaled to add up to 1."""
    W = known.weights
    assert W is not None
    C, d = W.shape
    S = sum((flint.arb(x) for x in pi), flint.arb(0))
    entropy = sum((-flint.arb(x) * flint.arb(x).log() for x in pi if x > 0), flint.arb(0))
    biases = sum((flint.arb(x) * b for x, b in zip(pi, known.bias, strict=True)), flint.arb(0))
    omega = W[c] - (pi @ W) / float(pi.sum())
    error = (C + d + 16) * _U * float(_norms(np.abs(W[c]) + pi @ np.abs(W))[()])
    length = float(_norms(omega)[()])
    return flint.arb(length, error + 4 * (d + 4) * _U * length), (
        entropy / S + S.log() + biases / S - known.bias[c]
    )


def _inter_class(known: Information, means: dict[str, Any]) -> Iterator[Guarantee]:
    """Inter-class cosines from the mean cosine to the weights, and the weights themselves."""
    W, C = known.weights, known.classes
    assert W is not None
    gram = _gram(W)
    lengths = [gram[c, c].sqrt() for c in range(C)]
    if not all(x > 0 for x in lengths):
        return
    cosines = gram / np.outer(lengths, lengths)
    away, o = _from_simplex(cosines)
    for level, mean in means.items():
        s = _largest(1 - mean, 0)
        bound = class_pairs.pair_gap(balls, C=_one(C), o=o, s=s) + away
        yield from _row(
            known, "bnwd:sharp-4", "mean directions", "cosine.inter.deviation", level, bound
        )


def _products_of_means(known: Information) -> Iterator[Guarantee]:
    """Inner products of the class means over alpha^2, where there is no bias."""
    W, C = known.weights, known.classes
    assert W is not None
    if not all(b == 0 for b in known.bias):
        return
    T = known.alpha * known.beta * C / (C - 1)
    gram = _gram(W) / (known.beta * known.beta)
    away, o = _from_simplex(gram)
    off = [abs(gram[c, r] + gram[c, c] / (C - 1)) for c in range(C) for r in range(C) if r != c]
    for level, p in _margins(known).items():
        s = 1 - p / _one(T)
        numbers = {"C": _one(C), "T": _one(T), "o": o, "s": s, "Y": _one(_mean(off))}
        bound = class_pairs.gram_gap(balls, **numbers) + away
        yield from _row(known, "bnwd:sharp-4", "Gram matrix", "nc2.gram", level, bound)


def _from_simplex(gram: Any) -> tuple[Any, Any]:
    """How far entries off the diagonal are from -1/(C-1); the root of the largest eigenvalue."""
    C = len(gram)
    away = _mean([abs(x + flint.arb(1) / (C - 1)) for x in _off_diagonal(gram)])
    return _one(away), balls.sqrt(class_pairs.largest_eigenvalue(balls, _one(gram)))


def _class_means(known: Information) -> Iterator[Guarantee]:
    """Cosines of class means from mean logits; with the variability, those of features too."""
    gram = _projections(known)
    if gram is None or known.class_alpha is None:
        return
    C, level = known.classes, LEVELS[2]
    if not all(x > 0 for x in gram.diagonal()):
        return
    square = _one(known.class_alpha * known.class_alpha)
    centres, radii = class_pairs.cosines_from_logits(balls, _one(gram), square)
    simplex = _one(flint.arb(1) / (C - 1))
    away = balls.minimum(balls.abs(centres + simplex) + radii, 1 + simplex)
    bound = _mean(_off_diagonal(away.data[0]))
    yield from _row(known, "bnwd:sharp-4", "mean logits", "nc2.cosine", level, bound)
    V = 1 - _one(gram.diagonal()) / square
    robust = ("bnwd:remark-nc-implies-cosine", "nearly NC1 and NC2")
    deficits = (1 - metrics.intra_from_variability(balls, V=V)).data[0]
    for quantity, deficit in (
        ("1 - cosine.intra.mean", _mean(list(deficits))),
        ("1 - cosine.intra.min", functools.reduce(flint.arb.max, deficits)),
    ):
        yield from _row(known, *robust, quantity, level, deficit)
    pairs = metrics.inter_from_simplex(balls, C=_one(C), V=V[:, :, None], U=V[:, None, :], xi=away)
    bound = _mean(_off_diagonal(pairs.data[0]))
    yield from _row(known, *robust, "cosine.inter.deviation", level, bound)


# -- matrices of balls ----------------------------------------------------------------------------


def _projections(known: Information) -> Any:
    """Inner products of the class means' projections on the span of (some) centred weights.

    The Gram matrix of a largest set of independent centred weights is solved for; leaving out a
    direction only weakens what follows. None with too many classes.
    """
    from scipy.linalg import qr

    C, W = known.classes, known.weights
    if W is None or known.mean_logits is None or C > _MANY:
        return None
    wdot = W - W.mean(axis=0)
    _, R, order = qr(wdot.T, mode="economic", pivoting=True)
    sizes = np.abs(np.diag(R))
    kept = sorted(int(i) for i in order[: int((sizes > 1e-7 * sizes[0]).sum())])
    centred = _centred(W)
    rows = flint.arb_mat([[centred[i, j] for j in range(W.shape[1])] for i in kept])
    seen = alignment.centred_mean_logits(balls, _one(known.mean_logits)).data[0][:, kept]
    M = flint.arb_mat([list(row) for row in seen])
    solved = (rows * rows.transpose()).solve(M.transpose())
    product = M * solved
    gram = np.array([[product[c, r] for r in range(C)] for c in range(C)], dtype=object)
    return (gram + gram.T) / 2


def _gram(W: Floats) -> Any:
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


def _centred_norm(W: Floats) -> Any:
    centred = _centred(W)
    square = sum((x * x for x in centred.entries()), flint.arb(0))
    return (square / len(W)).sqrt()


def _off_diagonal(matrix: Any) -> list[Any]:
    C = len(matrix)
    return [matrix[c, r] for c in range(C) for r in range(C) if r != c]


def _mean(values: Sequence[Any]) -> Any:
    return sum(values, flint.arb(0)) / len(values)


def _offsets(known: Information) -> list[Any]:
    """What the biases add to the margins of each class: they add up to zero."""
    C = known.classes
    mean = sum(known.bias, flint.arb(0)) / C
    return [(x - mean) * C / (C - 1) for x in known.bias]


def _norms(rows: Floats) -> Floats:
    norms: Floats = np.sqrt(np.square(rows).sum(axis=-1))
    return norms


# -- numbers that are given -----------------------------------------------------------------------


def _check_possible(known: Information) -> None:
    """Refuse losses and log-odds better than any network's of these norms."""
    with balls.precision(_BITS):
        C = known.classes
        most = known.alpha * known.beta * C / (C - 1)
        if known.log_odds is not None and known.log_odds > most:
            domain = f"at most C/(C-1) alpha beta = {float(most.mid()):.6g}"
            raise InputError("log_odds", float(known.log_odds.mid()), domain)
        least = ((C - 1) * (-most).exp()).log1p()
        if known.loss is not None and known.loss < least:
            domain = f"at least {float(least.mid()):.6g}, the least loss at these norms"
            raise InputError("loss", float(known.loss.mid()), domain)


def _positive(value: object, parameter: str) -> Any:
    found = enclose(value, parameter)
    if not found > 0:
        raise InputError(parameter, value, "a positive number")
    return found


def _matrix(parameter: str, value: object, C: int) -> Floats:
    array = np.asarray(value, dtype=np.float64)
    if array.ndim != 2 or len(array) != C or not np.isfinite(array).all():
        raise InputError(parameter, f"array of shape {array.shape}", f"({C}, d) finite numbers")
    return array


def _vector(parameter: str, value: object, C: int) -> Any:
    array = np.asarray(value)
    if array.shape != (C,):
        raise InputError(parameter, f"array of shape {array.shape}", f"({C},)")
    return np.array([_positive(x, parameter) for x in array])


def _logits(value: object, bias: Floats, C: int) -> Any:
    array = np.asarray(value)
    if array.shape != (C, C):
        raise InputError("mean_logits", f"array of shape {array.shape}", f"({C}, {C})")
    found = [
        [enclose(x, "mean_logits") - flint.arb(b) for x, b in zip(row, bias, strict=True)]
        for row in array
    ]
    return np.array(found, dtype=object)
