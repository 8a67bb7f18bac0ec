r"""Classes of unequal size: the layer-peeled model (34) solved, certified, and its thresholds.

The model bounds ``mean |a_k|^2`` by omega_A and ``mean_k mean_i |f_ki|^2`` by omega_F; only their
product matters, through ``root = (omega_A omega_F)^(1/2)``. For ``K_A`` majority classes with
`ratio` times the samples of each of ``K_B`` minority classes the global minimum is known in closed
form up to two numbers, `lean` and `weight`, which `minimum` finds; every digit that it returns of
the least risk is certified, by the risk of a point from above and by the dual programme from below
(`review:eq-34`). For any class sizes `descend` and `dual_bound` do the same without closed form,
and `semidefinite_reference` asks cvxpy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import numpy.typing as npt

from ncbounds.arithmetic import balls
from ncbounds.errors import InputError, MissingDependencyError
from ncbounds.theory.imbalance.threshold import (
    threshold_budget,
    threshold_ratio,
    vanishing_budget,
    vanishing_ratio,
)

Array = npt.NDArray[np.float64]

_BITS = 160
#: Beyond this logarithm of a ratio numbers overflow.
_LARGEST = 600.0


@dataclass(frozen=True)
class Enclosure:
    """A number between two others."""

    lower: float
    upper: float

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper


@dataclass(frozen=True)
class Minimum:
    """The global minimum of (34) for two class sizes.

    Logits of a sample are its class's by `majority_margin` or `minority_margin` above those of the
    rest of its group; `between` is the norm of what tells the groups apart. `risk` encloses the
    least mean loss, `threshold` the ratio from which on the minority collapses; `collapsed` is None
    where the ratio lies inside that enclosure. `cosine` is that of two minority
    classifiers, and not a number where they vanish: a small budget goes to the majority alone.
    """

    risk: Enclosure
    threshold: Enclosure
    collapsed: bool | None
    majority_margin: float
    minority_margin: float
    between: float
    cosine: float


def check_classes(K_A: int, K_B: int) -> None:
    """Raise InputError unless there is a majority and a minority of two classes or more."""
    if K_A < 1:
        raise InputError("K_A", K_A, "an integer >= 1")
    if K_B < 2:
        raise InputError("K_B", K_B, "an integer >= 2: one class alone cannot merge")


def check_positive(name: str, value: float) -> None:
    """Raise InputError unless a number is positive and finite."""
    if not 0 < value < math.inf:
        raise InputError(name, value, "a finite number > 0")


# -- the threshold --------------------------------------------------------------------------------


def collapse_threshold(K_A: int, K_B: int, root: float) -> Enclosure:
    """Enclose the ratio of class sizes from which on the minority classifiers coincide.

    Both coordinates of the threshold curve grow with `lean` (`review:eq-34`, sharp), so a bracket
    of the budget that balls certify is one of the ratio.

    >>> found = collapse_threshold(5, 5, 1.0)
    >>> f"{found.lower:.10f} {found.upper:.10f}"
    '1.7354156043 1.7354156043'
    """
    return _on_curve(K_A, K_B, root, threshold_ratio, threshold_budget, "lean")


def vanishing_threshold(K_A: int, K_B: int, root: float) -> Enclosure:
    """Enclose the ratio from which on weights and features of the minority are zero.

    It takes two majority classes: the norms go to them alone.

    >>> f"{vanishing_threshold(5, 5, 1.0).lower:.10f}"
    '2.7488811851'
    """
    if K_A < 2:
        raise InputError("K_A", K_A, "an integer >= 2: with one majority class nothing vanishes")
    return _on_curve(K_A, K_B, root, vanishing_ratio, vanishing_budget, "excess")


def _on_curve(K_A: int, K_B: int, root: float, ratio: Any, cost: Any, parameter: str) -> Enclosure:
    """Enclose the ratio of the point of a curve that belongs to a budget."""
    check_classes(K_A, K_B)
    check_positive("root", root)

    def at(formula: Any, value: Fraction) -> flint.arb:
        return formula.balls({"K_A": Fraction(K_A), "K_B": Fraction(K_B), parameter: value})

    with balls.precision(_BITS):
        budget = balls.ball(root) * (K_A + K_B)
        low, high = Fraction(0), Fraction(1)
        while not at(cost, high) > budget:
            if high > 2**40:
                raise InputError("root", root, "a number small enough for something to vanish")
            low, high = high, 2 * high
        for _ in range(90):
            middle = (low + high) / 2
            found = at(cost, middle)
            if found < budget:
                low = middle
            elif found > budget:
                high = middle
            else:
                break
        ratios = [at(ratio, v) if v else flint.arb(1) for v in (low, high)]
    return Enclosure(_below(ratios[0]), _above(ratios[1]))


def _below(value: flint.arb) -> float:
    """A float that is certainly no larger."""
    return math.nextafter(float(value.lower().mid()), -math.inf)


def _above(value: flint.arb) -> float:
    """A float that is certainly no smaller."""
    return math.nextafter(float(value.upper().mid()), math.inf)


# -- two class sizes ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Point:
    """A stationary point for a multiplier 1 and class weights W and `weight`."""

    major: float
    minor: float
    far: float
    ends: tuple[float, float]
    log_ratio: float
    budget: float


def _stationary(K_A: int, K_B: int, lean: float, weight: float) -> _Point | None:
    """The minimum that gives a majority class 1/(K (1 + lean)) for each minority sample.

    Up to weight 1 the minority is merged, and beyond it is not: its own and another minority
    class then differ by 1 - 1/weight in probability.
    """
    K = K_A + K_B
    across = 1 / (1 + lean)
    square = (K - (weight * across) ** 2 * K_A) / K_B
    rest = (1 / weight - K_A * across / K) / K_B
    if square <= 0 or rest <= 0:
        return None
    if weight <= 1:
        minor, odds = 0.0, math.log1p(K * lean / K_B)
    else:
        own = rest + 1 - 1 / weight
        minor = math.log(own / rest)
        odds = math.log(own * K / across) - (1 - 1 / K_B) * minor
    kappa = math.sqrt(square)
    far = K_B * odds / (weight * across)
    inside = 1 - K_B * (kappa - 1) / K_A
    major = kappa * far + K_A * math.log(kappa / inside)
    if not 0 <= major < _LARGEST:
        return None if major < 0 else _Point(major, minor, far, (0, 0), math.inf, math.inf)
    ends = (kappa * math.sqrt(K_B / K), weight * across * math.sqrt(K_A / K))
    log_ratio = math.log1p(inside / K * math.expm1(major)) - math.log(weight)
    return _Point(major, minor, far, ends, log_ratio, (K_A - 1) * major + (K_B - 1) * minor + far)


def _merged(K_A: int, K_B: int, excess: float) -> _Point:
    """The stationary point at lean 0, where majority classes alone have margins."""
    found = _stationary(K_A, K_B, 0.0, 1 / (1 + excess))
    return found or _Point(math.inf, 0.0, 0.0, (0.0, 0.0), math.inf, math.inf)


def _bisect(sign: Any, low: float, high: float) -> float:
    """A zero of a function of which only the sign is asked, on a scale of logarithms."""
    for _ in range(200):
        middle = math.sqrt(low * high)
        if not low < middle < high:
            break
        if sign(middle) < 0:
            low = middle
        else:
            high = middle
    return high


def _with_ratio(K_A: int, K_B: int, log_ratio: float, weight: float) -> tuple[float, _Point]:
    """The stationary point of a ratio and a weight."""

    def sign(lean_above: float) -> float:
        found = _stationary(K_A, K_B, start + lean_above, weight)
        return -1.0 if found is None else found.log_ratio - log_ratio

    start = max(weight * math.sqrt(K_A / (K_A + K_B)) - 1, 0.0)
    above = _bisect(sign, 1e-14, 1e8)
    found = _stationary(K_A, K_B, start + above, weight)
    if found is None:
        raise InputError("ratio", math.exp(log_ratio), "a ratio that floats can resolve")
    return start + above, found


def minimum(K_A: int, K_B: int, ratio: float, root: float) -> Minimum:
    """Solve (34) with cross-entropy for two class sizes, and certify what is found.

    >>> found = minimum(5, 5, 2.0, 1.0)
    >>> found.collapsed, found.cosine, found.risk.upper - found.risk.lower < 1e-9
    (True, 1.0, True)

    Raises
    ------
    InputError
        When the ratio is below 1, or a number is not positive.
    """
    threshold = collapse_threshold(K_A, K_B, root)
    if not 1 <= ratio < math.inf:
        raise InputError("ratio", ratio, "a finite number >= 1")
    K, log_ratio = K_A + K_B, math.log(ratio)
    budget = K * root

    def sign(weight: float) -> float:
        return _with_ratio(K_A, K_B, log_ratio, weight)[1].budget - budget

    # At lean 0 nothing tells the groups apart: below that budget the minority vanishes.
    first = 1 / (1 + _bisect(lambda e: _merged(K_A, K_B, e).log_ratio - log_ratio, 1e-15, 1e9))
    alone = _stationary(K_A, K_B, 0.0, first)
    if alone is None or alone.budget >= budget:
        found = _Point(budget / max(K_A - 1, 1), 0.0, 0.0, (0.0, 0.0), log_ratio, budget)
    else:
        found = _with_ratio(K_A, K_B, log_ratio, _bisect(sign, first, 1e9))[1]
    collapsed = None
    if ratio >= threshold.upper:
        collapsed = True
    elif ratio < threshold.lower:
        collapsed = False
    norms = found.far * K_A / (K * K_B)
    apart = 0.0 if collapsed else found.minor
    length = norms + apart * (1 - 1 / K_B)
    return Minimum(
        risk=_enclose(K_A, K_B, ratio, budget, found),
        threshold=threshold,
        collapsed=collapsed,
        majority_margin=found.major,
        minority_margin=apart,
        between=found.far,
        cosine=(norms - apart / K_B) / length if length > 0 else math.nan,
    )


def _enclose(K_A: int, K_B: int, ratio: float, budget: float, found: _Point) -> Enclosure:
    """The least risk, from the dual programme and from the point with its norm made to fit."""
    with balls.precision(_BITS):
        R, rho = balls.ball(ratio), balls.ball(budget)
        numbers = [found.major, found.minor, *(found.far * end for end in found.ends)]
        point = [balls.ball(max(v, 0.0)) for v in numbers]
        total = R * K_A + K_B
        loss, pairing, norm = _dual(K_A, K_B, R, point)
        lower = (loss + pairing - rho * norm) / total
        used = (K_A - 1) * point[0] + (K_B - 1) * point[1]
        used += (point[2] * point[2] + point[3] * point[3]).sqrt()
        fitting = [v * (rho / used).lower() for v in point]
        upper = _dual(K_A, K_B, R, fitting)[0] / total
    return Enclosure(_below(lower), _above(upper))


def _dual(
    K_A: int, K_B: int, R: flint.arb, point: list[flint.arb]
) -> tuple[flint.arb, flint.arb, flint.arb]:
    """Sum of losses, minus its gradient times the logits, and the norm of the gradient.

    The logits are those of `_stationary`: margins within both groups, and a part (p, q) between.
    """
    K = K_A + K_B
    major, minor, p, q = point
    roots = [(balls.ball(Fraction(K, other))).sqrt() for other in (K_B, K_A)]
    groups = []
    for own, other, margin, far in (
        (K_A, K_B, major, p * roots[0] / K_A),
        (K_B, K_A, minor, q * roots[1] / K_B),
    ):
        within, across = (-margin).exp(), (-(margin * (own - 1) / own) - far).exp()
        lost = ((own - 1) * within + other * across).log1p()
        groups.append((lost, (-lost).exp(), within * (-lost).exp(), across * (-lost).exp()))
    (lost_A, own_A, in_A, out_A), (lost_B, own_B, in_B, out_B) = groups
    first, second = R * (1 - own_A + in_A), 1 - own_B + in_B
    sides = [R * out_A * balls.ball(K * K_B).sqrt(), out_B * balls.ball(K * K_A).sqrt()]
    pairing = (K_A - 1) * major * first + (K_B - 1) * minor * second
    pairing += p * sides[0] + q * sides[1]
    norm = (sides[0] * sides[0] + sides[1] * sides[1]).sqrt().max(second)
    if K_A > 1:
        norm = norm.max(first)
    return R * K_A * lost_A + K_B * lost_B, pairing, norm


# -- any class sizes ------------------------------------------------------------------------------


def descend(sizes: Any, root: float, dimension: int, seed: int = 0) -> tuple[float, Array, Array]:
    """Descend the non-convex model (34) with cross-entropy from a random start.

    Returns the mean loss, weights (K, m) and class means (K, m), both within their bounds for
    omega_A = omega_F = `root`.
    """
    counts = np.asarray(sizes, dtype=np.float64)
    shares, K = counts / counts.sum(), len(counts)
    norm = math.sqrt(K * root)

    def factors(v: Array) -> tuple[Array, Array, float, float]:
        A, F = v.reshape(2, K, dimension)
        a, f = float(np.linalg.norm(A)), float(np.linalg.norm(F))
        return A * (norm / a), F * (norm / f), norm / a, norm / f

    def risk(v: Array) -> tuple[float, Array]:
        A, F, a, f = factors(v)
        loss, slope = _risk(shares, F @ A.T)
        of_A, of_F = slope.T @ F, slope @ A
        of_A = a * (of_A - A * ((of_A * A).sum() / norm**2))
        of_F = f * (of_F - F * ((of_F * F).sum() / norm**2))
        return loss, np.concatenate([of_A.ravel(), of_F.ravel()])

    start = np.random.default_rng(seed).normal(size=2 * K * dimension)
    found = _lowest(risk, start)
    A, F, _, _ = factors(found.x)
    return float(found.fun), A, F


def _lowest(risk: Any, start: Array) -> Any:
    """Descend a function that returns its value and gradient, to the last digits."""
    from scipy.optimize import minimize

    options: Any = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-16, "gtol": 1e-11, "maxcor": 30}
    descent: Any = minimize
    return descent(risk, start, jac=True, method="L-BFGS-B", options=options)


def _risk(shares: Array, logits: Array) -> tuple[float, Array]:
    """Mean loss of rows of logits, one a class, and its gradient."""
    top = logits.max(axis=1, keepdims=True)
    powers = np.exp(logits - top)
    total = powers.sum(axis=1, keepdims=True)
    losses = (top + np.log(total))[:, 0] - np.diag(logits)
    slope = (powers / total - np.eye(len(shares))) * shares[:, None]
    return float(shares @ losses), slope


def dual_bound(sizes: Any, logits: Any, root: float) -> float:
    """A certified lower bound on (34) with cross-entropy, in any dimension, from any logits.

    Logits (K, K), a row for each class mean; the nearer they are to optimal, the better the bound:
    the tangent there, ``L + <-grad, Z> - K root |grad|`` with the operator norm.
    """
    counts = [Fraction(c) for c in sizes]
    Z = np.asarray(logits, dtype=np.float64)
    K, N = len(counts), sum(counts)
    _, slope = _risk(np.array([float(c / N) for c in counts]), Z)
    left, _, right = np.linalg.svd(slope)
    with balls.precision(_BITS):
        exact = balls.asarray(Z).data
        powers = np.vectorize(lambda z: z.exp(), otypes=[object])(exact)
        totals = powers.sum(axis=1)
        weights = np.array([balls.ball(c / N) for c in counts], dtype=object)
        loss = sum(
            (
                w * (t / powers[k, k]).log()
                for k, (w, t) in enumerate(zip(weights, totals, strict=True))
            ),
            flint.arb(0),
        )
        G = -powers / totals[:, None]
        G[np.arange(K), np.arange(K)] = G[np.arange(K), np.arange(K)] + 1
        G = G * weights[:, None]
        bound = loss + (G * exact).sum() - balls.ball(root) * K * _operator_norm(G, left, right)
    return _below(bound)


def _operator_norm(G: Any, left: Array, right: Array) -> flint.arb:
    """An upper bound on the operator norm, near it if `left` and `right` are singular vectors.

    For M = left^T G right^T it is at most |M| over the least singular values of both; row sums
    bound |M| as well as how far both are from orthogonal.
    """
    U, V = balls.asarray(left).data, balls.asarray(right).data
    M = U.T @ G @ V.T
    defects = [_largest_row(W @ W.T - balls.asarray(np.eye(len(W))).data) for W in (U, V)]
    size = (_largest_row(M) * _largest_row(M.T)).sqrt()
    return size / ((1 - defects[0]) * (1 - defects[1])).sqrt()


def _largest_row(M: Any) -> flint.arb:
    largest = flint.arb(0)
    for row in M:
        largest = largest.max(sum((abs(e) for e in row), flint.arb(0)))
    return largest


def semidefinite_reference(sizes: Any, root: float) -> float:
    """The value of the semidefinite relaxation of (34) by cvxpy, to the solver's accuracy.

    Raises
    ------
    MissingDependencyError
        When cvxpy is not installed.
    """
    try:
        import cvxpy
    except ImportError as error:
        raise MissingDependencyError('cvxpy is missing: pip install "ncbounds[sdp]"') from error
    counts = np.asarray(sizes, dtype=np.float64)
    K = len(counts)
    X = cvxpy.Variable((2 * K, 2 * K), PSD=True)
    losses = [cvxpy.log_sum_exp(X[k, K:]) - X[k, K + k] for k in range(K)]
    total = sum(share * loss for share, loss in zip(counts / counts.sum(), losses, strict=True))
    bounds = [cvxpy.trace(X[:K, :K]) <= K * root, cvxpy.trace(X[K:, K:]) <= K * root]
    return float(cvxpy.Problem(cvxpy.Minimize(total), bounds).solve(solver=cvxpy.CLARABEL))


# -- the regularised model ------------------------------------------------------------------------


def largest_merged_size(N: int, lambda_A: float, lambda_F: float) -> float:
    """Classes of at most this many samples merge at the minimum of (21): N^2 lambda_A lambda_F."""
    return N * N * lambda_A * lambda_F


def descend_regularised(
    sizes: Any, lambda_A: float, lambda_F: float, dimension: int, seed: int = 0
) -> tuple[float, Array, Array]:
    """Descend (21) without bias for classes of any size; returns risk, weights and class means."""
    counts = np.asarray(sizes, dtype=np.float64)
    shares, K = counts / counts.sum(), len(counts)

    def risk(v: Array) -> tuple[float, Array]:
        A, F = v.reshape(2, K, dimension)
        loss, slope = _risk(shares, F @ A.T)
        penalty = lambda_A * (A * A).sum() + lambda_F * (counts[:, None] * F * F).sum()
        of_A = slope.T @ F + lambda_A * A
        of_F = slope @ A + lambda_F * counts[:, None] * F
        return loss + penalty / 2, np.concatenate([of_A.ravel(), of_F.ravel()])

    start = np.random.default_rng(seed).normal(size=2 * K * dimension)
    found = _lowest(risk, start)
    A, F = found.x.reshape(2, K, dimension)
    return float(found.fun), A, F
