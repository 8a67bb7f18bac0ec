"""Exact instances for the proofs about cosines of features with their weights: what claims compare.

The quantities of the claims by plain loops over exact numbers, by claim.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ncbounds.arithmetic import balls
from proofs_check.layers import Cosines
from proofs_check.proximity.first_steps import dot, mean
from proofs_check.steps import number


def _chosen(rows: Any, subset: Any, inside: bool = True) -> list[Any]:
    return [
        value
        for row, marks in zip(rows, subset, strict=True)
        for value, mark in zip(row, marks, strict=True)
        if bool(mark) == inside
    ]


def _power(x: Any, numerator: int, denominator: int) -> Any:
    """x to a fraction; zero for x = 0."""
    return (x.log() * numerator / denominator).exp() if x > 0 else balls.ball(0)


def _set_bound(rho: list[Any], left: Any) -> Any:
    """moment^(3/2)/sqrt(left) less the share of the samples that are lost."""
    moment = mean([_power(x, 2, 3) for x in rho])
    lost = Fraction(sum(1 for x in rho if not x > 0), len(rho))
    kept = _power(moment, 3, 2) / left.sqrt() if left > 0 else balls.ball(0)
    return kept - balls.ball(lost)


def measured_sides(
    w: Any, h: Any, bias: Any, subset: Any, price: Any
) -> dict[str, tuple[Any, Any]]:
    """The sides of the claim about measured losses."""
    net, mu = Cosines(w, h, bias), balls.ball(number(price))
    rho = net.components(net.p)
    inside, outside = _chosen(rho, subset), _chosen(rho, subset, inside=False)
    count = net.C * net.N
    others = sum((x**2 for x in outside if x > 0), balls.ball(0)) / count
    left = ((1 - others) * count / len(inside)).max(balls.ball(0))

    squares = _chosen(net.each(lambda _, x: dot(x, x)), subset)
    measured = balls.ball(mean(squares) / net.square)

    def value(x: Any) -> Any:
        if not x > 0:
            return balls.ball(-1)
        length = x.max(_power(x / (2 * mu), 1, 3))
        return x / length + mu * length**2

    priced = mean([value(x) for x in inside]) - mu * left
    whole = [x for row in rho for x in row]
    means = [row[0] for row in net.components([[mean(row)] for row in net.p])]
    powers = [
        _power(mean([_power(x.max(balls.ball(0)), 2, 3) for x in row]), 3, 4) for row in net.p
    ]
    lost = Fraction(sum(1 for x in whole if not x > 0), count)
    any_norms = mean(powers) ** 2 / net.T - balls.ball(lost)
    kappa = mean(_chosen(net.kappa, subset))
    sides = net.sides(_set_bound(whole, balls.ball(1)), _set_bound(means, balls.ball(1)))
    return {
        "subset, priced": (1 - kappa, 1 - priced),
        "subset": (1 - kappa, 1 - _set_bound(inside, left)),
        "subset of measured norms": (1 - kappa, 1 - _set_bound(inside, measured)),
        "mean cosine, any norms": (sides["mean cosine"][0], 1 - any_norms),
        "class means": sides["class means"],
        "intra-class cosine": sides["intra-class cosine"],
    }


def _raised(net: Cosines) -> Any:
    """e^o L, o the largest of what the biases add to the margins."""
    return net.loss * balls.ball(net.k * (max(net.bias) - mean(net.bias))).exp()


def loss_sides(w: Any, h: Any, bias: Any) -> dict[str, tuple[Any, Any]]:
    """The sides of the claim about the mean loss."""
    net = Cosines(w, h, bias)
    loss = _raised(net)
    t = -((loss.exp() - 1) / (net.C - 1)).log()
    slack = balls.ball(net.C).log() - loss
    bound = (t / net.T).min((slack / (1 - (-loss).exp()) - t) / net.T - 1)
    return {
        "small loss": (0, 2 * t - loss.exp()),
        **net.sides(bound, bound),
    }


def share_sides(
    w: Any, h: Any, bias: Any, subset: Any, error: Any, kappa: Any
) -> dict[str, tuple[Any, Any]]:
    """The sides of the claim about every share of the samples."""
    net = Cosines(w, h, bias)
    q, at = number(error) * Fraction(net.C - 1, net.C), number(kappa)

    def entropy(e: Fraction) -> Any:
        terms = [balls.ball(x) * balls.ball(x).log() for x in (e, 1 - e)]
        return balls.ball(e) * balls.ball(net.C - 1).log() - terms[0] - terms[1]

    t = (balls.ball((net.C - 1) * (1 - q) / q)).log()
    slope = balls.ball(q / at) * t
    tangent = entropy(q) + balls.ball(q) * t
    least = tangent.min(balls.ball(net.C).log() - slope)
    chosen = _chosen(net.kappa, subset)
    delta = balls.ball(Fraction(len(chosen), net.C * net.N))
    rest = (1 - delta) * entropy(q * at) - balls.ball(q * at) * net.T - _raised(net)
    return {
        "error not too large": (0, 2 * balls.ball(1 - q) * t - 1),
        "mean cosine": (1 - mean(chosen), 1 - (least + rest / delta) / slope),
    }
