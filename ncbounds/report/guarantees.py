"""What a few numbers of a trained network guarantee about its collapse.

Four levels of information, each a matter of one pass over the data: the mean loss; the mean
log-odds, better at the same cost; the matrix of mean logits; the losses of all samples with the
weights. A guarantee is evaluated in balls from balls (`ncbounds.measure.information`) and its worse
end is told. Everything is `sharp`: the theorems are `bnwd:theorem-2.1` and `bnwd:sharp-1` to 5.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.certified import Decimal
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.arithmetic.formula import Formula
from ncbounds.errors import InputError
from ncbounds.measure.door import Floats
from ncbounds.measure.information import Information, centred_lengths
from ncbounds.measure.rival_weights import RivalWeights, centre, rival_weights
from ncbounds.report.angles import FEW, Angles, class_angles
from ncbounds.report.ends import (
    at_least,
    average,
    float_above,
    float_below,
    larger,
    rounded_up,
    single,
    upper_end,
)
from ncbounds.report.matrices import MANY, gram_of_weights, projections
from ncbounds.theory import metrics
from ncbounds.theory.proximity import alignment, class_pairs, one_class, weight_cosines
from ncbounds.theory.proximity.near_optimal_loss import phi_inverse

LEVELS = ("mean loss", "mean log-odds", "mean logits", "losses and weights")
#: Working precision of all guarantees.
BITS = 160
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
        short = decimal.Context(prec=4, rounding=decimal.ROUND_CEILING).create_decimal
        rows = [
            (g.quantity, f"<= {float(short(g.bound.value)):.4g}", g.level, g.id)
            for g in self.guarantees
        ]
        widths = [max(len(row[i]) for row in rows) for i in range(3)] if rows else [0] * 3
        lines = [
            "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[3]])
            + ("  vacuous" if g.vacuous else "")
            for row, g in zip(rows, self.guarantees, strict=True)
        ]
        return "\n".join([*lines, *(f"{name}: {why}" for name, why in self.skipped.items())])


def certificate(known: Information, centred: str = "", cosines: bool = True) -> Certificate:
    """Evaluate every guarantee that the information allows; `centred` is added to names.

    Without `cosines` none of intra-class and inter-class cosines and of class means, which are
    defined for centred features.
    """
    found: list[Guarantee] = []
    skipped: dict[str, str] = {}
    with balls.precision(BITS):
        found += _alignment(known, centred, skipped)
        means = dict(_weight_cosines(known))
        for level, mean in means.items():
            reading = "the mean loss alone" if level == LEVELS[0] else "measured losses"
            found += _row(
                known, "bnwd:sharp-2", reading, f"1 - cosine.weights.mean{centred}", level, 1 - mean
            )
            if cosines:
                kept = larger(mean, 0)
                deficit = 1 - kept * kept
                found += _row(
                    known, "bnwd:sharp-2", reading, "1 - cosine.intra.mean", level, deficit
                )
        if cosines and known.weights is not None:
            rivals = _rivals(known)
            found += _of_classes(known, rivals)
            angles = _angles(known, rivals, skipped)
            if known.classes > MANY:
                skipped["bnwd:sharp-4"] = f"more than {MANY} classes"
            else:
                found += _inter_class(known, means, angles)
                found += _class_means(known)
                found += _from_ellipsoids(known, angles)
        if known.weights is not None and known.classes <= MANY and not centred:
            found += _products_of_means(known)
    return Certificate(tuple(found), skipped)


# -- rows -----------------------------------------------------------------------------------------


def _row(
    known: Information, id: str, reading: str, quantity: str, level: str, bound: Any
) -> list[Guarantee]:
    """An upper bound, rounded up; none where it has no value."""
    ball = bound.data.ravel()[0] if isinstance(bound, balls.Balls) else bound
    if not ball.is_finite():
        return []
    upper = ball.upper()
    value = rounded_up(upper)
    C = known.classes
    trivial = _TRIVIAL.get(quantity.removesuffix(".centred"), flint.arb(C) / (C - 1))
    if quantity == "nc2.equinorm":
        trivial = flint.arb(C - 1).sqrt()
    return [Guarantee(id, reading, quantity, level, value, bool(not upper < trivial))]


def _margins(known: Information) -> dict[str, Any]:
    """Lower bounds on the mean log-odds, by level."""
    margins = {}
    if known.loss is not None and known.loss < flint.arb(known.classes).log():
        # The larger the loss the less it says; and a loss that underflows is some positive number.
        margins[LEVELS[0]] = phi_inverse(balls, single(known.loss.upper()), known.classes - 1)
    if known.log_odds is not None:
        margins[LEVELS[1]] = single(known.log_odds)
    return margins


def _alignment(known: Information, centred: str, skipped: dict[str, str]) -> Iterator[Guarantee]:
    """NC1, NC3 and self-duality from a mean margin that is guaranteed or known."""
    margins = _margins(known)
    if known.loss is not None and LEVELS[0] not in margins:
        loss = float(known.loss.mid())
        name = f"bnwd:theorem-2.1 (sharp{', centred' if centred else ''})"
        skipped[name] = f"the mean loss {loss:.4g} is at or above log C"
    if known.mean_logits is not None:
        margins[LEVELS[2]] = alignment.mean_margin(balls, single(known.mean_logits))
    given = {"C": single(known.classes), "alpha": single(known.alpha), "beta": single(known.beta)}
    for level, p in margins.items():
        numbers = {**given, "p": p}
        theorem = (
            ("bnwd:theorem-2.1", "guarantee from the loss")
            if level == LEVELS[0]
            else ("bnwd:sharp-1", "three levels of information")
        )
        share = alignment.reach(balls, **numbers)
        variability = alignment.variability(balls, **numbers)
        theorem_of_nc1 = theorem
        if level == LEVELS[2]:
            if known.classes > MANY:
                skipped[f"bnwd:sharp-1, from mean logits{centred}"] = f"more than {MANY} classes"
            elif (gram := projections(known)) is not None:
                Q = single(sum(gram.diagonal(), flint.arb(0)) / known.classes)
                seen = alignment.variability_from_projections(balls, alpha=given["alpha"], Q=Q)
                if upper_end(seen) < upper_end(variability):  # always, but for rounding
                    theorem_of_nc1, variability = ("bnwd:sharp-1", "from mean logits"), seen
        for (id, reading), quantity, bound in (
            (theorem_of_nc1, "nc1.relative", variability),
            (theorem, "1 - nc3.cosine", alignment.cosine_deficit(balls, share)),
            (theorem, "self-duality.distance", alignment.distance(balls, **numbers)),
        ):
            yield from _row(known, id, reading, quantity + centred, level, bound)


def _weight_cosines(known: Information) -> Iterator[tuple[str, Any]]:
    """Lower bounds on the mean cosine of features and their centred weights, by level."""
    if known.loss is not None:
        found = _from_mean_loss(known)
        if found is not None:
            yield LEVELS[0], found
    if known.sample_log_odds is not None and known.weights is not None:
        yield LEVELS[3], single(_from_losses(known))


def _from_mean_loss(known: Information) -> Any:
    """The better of two bounds on the mean cosine, each where its hypothesis certainly holds."""
    C, raised = known.classes, _raised_loss(known)
    if not raised < flint.arb(C).log():
        return None
    L, most = single(raised.upper()), float_above(known.alpha * known.beta)
    given = {"C": single(C), "L": L, "alpha": single(known.alpha), "beta": single(known.beta)}
    # Only the product of the norms matters.
    q, kappa = weight_cosines.best_tangent(C, float_above(raised), alpha=most, beta=1.0, delta=1.0)
    bounds, point = [], {**given, "delta": single(1), "q": single(q), "kappa": single(kappa)}
    if _meets(weight_cosines.share_cosine, point):
        bounds.append(weight_cosines.share_cosine(balls, **point))
    if _meets(weight_cosines.loss_cosine, given):
        bounds.append(weight_cosines.loss_cosine(balls, **given))
    lower = [x.data[0].lower() for x in bounds if x.data[0].is_finite()]
    return single(max(lower)) if lower else None


def _meets(guarantee: Formula, values: dict[str, Any]) -> bool:
    """Whether all hypotheses of a guarantee certainly hold."""
    margins = [condition.margin(balls, **values) for condition in guarantee.conditions]
    return all(balls.certainly_nonnegative(margin).all() for margin in margins)


def _raised_loss(known: Information) -> Any:
    """The mean loss, raised by what biases can have lowered it."""
    bias = single(np.zeros(known.classes) if known.bias is None else known.bias)
    raised = weight_cosines.raised_loss(balls, single(known.loss), bias)
    return raised.data[0]


def _from_losses(known: Information) -> Any:
    """The priced bound in floats, lowered by what rounding can have added.

    A component is a quotient of ends that are rounded outward, wrong by a few units of rounding:
    1e-14 relatively. It enters a mean that numpy sums pairwise, with at most 41 roundings for 2^32
    samples, and which is at most 1 + price, as the mean square of the components is at most 1:
    1e-13 of that covers it, and `math.fsum` adds up the classes.
    """
    C, W = known.classes, known.weights
    assert W is not None and known.sample_log_odds is not None
    xp, (lengths, error) = numpy_namespace(), centred_lengths(W)
    alpha = np.array([float_above(known.alpha)])
    along = []
    for p, offset, length in zip(known.sample_log_odds, _offsets(known), lengths, strict=True):
        lowered = np.nextafter(p - float_above(offset), -np.inf)
        longest = np.array([[length + error]])
        along.append(
            weight_cosines.components(xp, C, lowered[None, None], longest, alpha) * (1 - 1e-14)
        )
    whole = [np.ones_like(rows) for rows in along]

    def bound(exponent: float) -> float:
        price = np.array([10.0**exponent])
        parts = [
            float(weight_cosines.priced_cosine(xp, rows, ones, np.ones(1), price)[0])
            for rows, ones in zip(along, whole, strict=True)
        ]
        return float(math.fsum(parts) / C - 1e-13 * (2 + 2 * 10.0**exponent))

    from scipy.optimize import minimize_scalar

    best = minimize_scalar(lambda x: -bound(x), bounds=(-8.0, 8.0), method="bounded")
    return flint.arb(bound(float(best.x)))


def _rivals(known: Information) -> list[RivalWeights]:
    """The best probabilities on the rivals of each class; none without losses by class."""
    if known.class_log_odds is None or known.class_alpha is None or known.weights is None:
        return []
    less = flint.arb(known.classes - 1).log()
    odds = [float((x - less).mid()) for x in known.class_log_odds]
    return [rival_weights(known.weights, c, x, _middles(known.bias)) for c, x in enumerate(odds)]


def _middles(numbers: Any) -> Floats:
    return np.array([float(x.mid()) for x in numbers])


def _of_classes(known: Information, found: list[RivalWeights]) -> Iterator[Guarantee]:
    """The worst class, and how equal the norms of the class means are, one class at a time."""
    if not found:
        return
    C, rivals = known.classes, flint.arb(known.classes - 1).log()
    lengths, intra = [], []
    for c in range(C):
        odds = known.class_log_odds[c] - rivals
        omega, constant = _rival_direction(known, c, found[c].probabilities)
        least = larger((constant + odds).lower(), 0) / omega.upper()
        lengths.append(least.lower() if least.is_finite() else flint.arb(0))
        if known.sample_log_odds is not None:
            below = float_below(constant - rivals)
            margins = np.nextafter(known.sample_log_odds[c] + below, -np.inf)[None]
            worth = one_class.mean_cosine_of_class(
                numpy_namespace(),
                margins,
                (margins > 0).astype(np.float64),
                np.array([float_above(omega)]),
                np.array([float_above(known.class_alpha[c])]),
            )
            # At most 1 and a mean, summed pairwise, of numbers with a few units of rounding.
            intra.append(max(0.0, float(worth[0]) - 1e-13) ** 2)
    if intra:
        deficit = flint.arb(1) - flint.arb(min(intra)) + 1e-15
        yield from _row(
            known, "bnwd:sharp-3", "mean cosine", "1 - cosine.intra.min", LEVELS[3], deficit
        )
    total = sum(lengths, flint.arb(0)) / C
    if total > 0:
        # Larger norms are valid. These differ in the 30th digit: no variance is zero, or its ball
        # could reach below zero and have no root.
        most = np.array(
            [x.upper() * (1 + c * flint.arb(2) ** -100) for c, x in enumerate(known.class_alpha, 1)]
        )
        least = np.array(lengths, dtype=object)
        deviation = one_class.norm_deviation(balls, single(least), single(most))
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


def _angles(
    known: Information, found: list[RivalWeights], skipped: dict[str, str]
) -> Angles | None:
    """What the losses of each class say of the angles of class means, or why nothing."""
    W = known.weights
    if not found or W is None:
        return None
    if known.classes > FEW:
        skipped["bnwd:sharp-5"] = f"more than {FEW} classes"
        return None
    bias = _middles(known.bias)
    angles = class_angles(known, [centre(W, bias, c, one) for c, one in enumerate(found)])
    if angles is None:
        skipped["bnwd:sharp-5"] = "the losses of some class say nothing of its mean"
    return angles


def _from_ellipsoids(known: Information, angles: Angles | None) -> Iterator[Guarantee]:
    """Cosines of class means, each in its ellipsoid; or all by their mean cosine to the centres."""
    if angles is None:
        return
    away, o = _from_simplex(angles.cosines)
    s = 1 - single(average([x.lower() for x in angles.nearest]))
    of_means = class_pairs.pair_gap(balls, C=single(known.classes), o=o, s=s) + away
    of_each = single(angles.class_means) + away
    theorem, bound = ("bnwd:sharp-5", "pairs of classes"), of_each
    if upper_end(of_means) < upper_end(of_each):
        theorem, bound = ("bnwd:sharp-4", "mean directions"), of_means
    yield from _row(known, *theorem, "nc2.cosine", LEVELS[3], bound)


def _inter_class(
    known: Information, means: dict[str, Any], angles: Angles | None
) -> Iterator[Guarantee]:
    """Inter-class cosines from the mean cosine to the weights, and the weights themselves.

    Or from the ellipsoids of the class means, where that is better.
    """
    W, C = known.weights, known.classes
    assert W is not None
    gram = gram_of_weights(W)
    lengths = [gram[c, c].sqrt() for c in range(C)]
    if not all(x > 0 for x in lengths):
        return
    cosines = gram / np.outer(lengths, lengths)
    away, o = _from_simplex(cosines)
    for level, mean in means.items():
        s = single(at_least((1 - mean).data[0], flint.arb(0)))
        bound = class_pairs.pair_gap(balls, C=single(C), o=o, s=s) + away
        theorem = ("bnwd:sharp-4", "mean directions")
        if level == LEVELS[3] and angles is not None:
            of_each = single(angles.mean_directions) + _from_simplex(angles.cosines)[0]
            if upper_end(of_each) < upper_end(bound):
                theorem, bound = ("bnwd:sharp-5", "pairs of classes"), of_each
        yield from _row(known, *theorem, "cosine.inter.deviation", level, bound)


def _products_of_means(known: Information) -> Iterator[Guarantee]:
    """Inner products of the class means over alpha^2, where there is no bias."""
    W, C = known.weights, known.classes
    assert W is not None
    if not all(b == 0 for b in known.bias):
        return
    T = known.alpha * known.beta * C / (C - 1)
    gram = gram_of_weights(W) / (known.beta * known.beta)
    away, o = _from_simplex(gram)
    off = [abs(gram[c, r] + gram[c, c] / (C - 1)) for c in range(C) for r in range(C) if r != c]
    for level, p in _margins(known).items():
        # At collapse s is zero up to rounding; any larger s is valid.
        s = single(at_least((1 - p / single(T)).data[0], flint.arb(2) ** -BITS))
        numbers = {"C": single(C), "T": single(T), "o": o, "s": s, "Y": single(average(off))}
        bound = class_pairs.gram_gap(balls, **numbers) + away
        yield from _row(known, "bnwd:sharp-4", "Gram matrix", "nc2.gram", level, bound)


def _from_simplex(gram: Any) -> tuple[Any, Any]:
    """How far entries off the diagonal are from -1/(C-1); the root of the largest eigenvalue."""
    C = len(gram)
    away = average([abs(x + flint.arb(1) / (C - 1)) for x in _off_diagonal(gram)])
    return single(away), balls.sqrt(class_pairs.largest_eigenvalue(balls, single(gram)))


def _class_means(known: Information) -> Iterator[Guarantee]:
    """Cosines of class means from mean logits; with the variability, those of features too."""
    gram = projections(known)
    if gram is None or known.class_alpha is None:
        return
    C = known.classes
    if not all(x > 0 for x in gram.diagonal()):
        return
    # Larger feature norms are valid, and no projection is longer. A little more than its upper end,
    # or the ball of what is hidden could reach below zero by its own rounding, and have no root.
    square = [
        at_least(a * a, own + own.rad() / 2**20) * (1 + flint.arb(2) ** (8 - BITS))
        for a, own in zip(known.class_alpha, gram.diagonal(), strict=True)
    ]
    level = LEVELS[2]
    centres, radii = class_pairs.cosines_from_logits(balls, single(gram), single(square))
    simplex = single(flint.arb(1) / (C - 1))
    away = balls.minimum(balls.abs(centres + simplex) + radii, 1 + simplex)
    bound = average(_off_diagonal(away.data[0]))
    yield from _row(known, "bnwd:sharp-4", "mean logits", "nc2.cosine", level, bound)
    V = 1 - single(gram.diagonal()) / single(square)
    pairs = metrics.inter_from_simplex(
        balls, C=single(C), V=V[:, :, None], U=V[:, None, :], xi=away
    )
    bound = average(_off_diagonal(pairs.data[0]))
    id, reading = "bnwd:remark-nc-implies-cosine", "nearly NC1 and NC2"
    yield from _row(known, id, reading, "cosine.inter.deviation", level, bound)


def _off_diagonal(matrix: Any) -> list[Any]:
    C = len(matrix)
    return [matrix[c, r] for c in range(C) for r in range(C) if r != c]


def _offsets(known: Information) -> list[Any]:
    """What the biases add to the margins of each class: they add up to zero."""
    C = known.classes
    mean = sum(known.bias, flint.arb(0)) / C
    return [(x - mean) * C / (C - 1) for x in known.bias]


def _norms(rows: Floats) -> Floats:
    norms: Floats = np.sqrt(np.square(rows).sum(axis=-1))
    return norms
