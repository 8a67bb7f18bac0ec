"""Proof of the corrected `bnwd:theorem-2.1`. Throughout k = C/(C-1) and A = alpha beta.

The gaps as in `proximity_gaps`: G of a class is the log-mean-exp of its rivals' logits less their
mean, "second" and "third" the two later gaps. A class is good if (19) and (20) leave it, each at a
fraction D; for a good class a and b are what (19) and (20) allow, relative to A.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from sympy import diff, exp, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.proximity import corrected_theorem, gaps
from ncbounds.theory.terms import Claim
from proofs_check.facts import CAUCHY_SCHWARZ, INNER_PRODUCT, JENSEN, MONOTONE, PIGEONHOLE, TRIANGLE
from proofs_check.proximity.first_steps import NETWORKS, RIVALS, UNDER_NORMS, C, K, dot, phi
from proofs_check.proximity.gaps import chain_of_gaps
from proofs_check.proximity.most_classes import (
    Most,
    fewer,
    greatest,
    least,
    lemma,
    on_the_interval,
    sums,
)
from proofs_check.proximity.opposition import nearly_aligned
from proofs_check.steps import (
    Step,
    assumes,
    cases,
    covered,
    identity,
    nonnegative,
    number,
    point,
    proof,
    tie,
)
from proofs_check.weight_decay.objective import bregman_lower_bound

#: The textbook facts behind the route.
FACTS = (JENSEN, CAUCHY_SCHWARZ, TRIANGLE, INNER_PRODUCT, MONOTONE, PIGEONHOLE)

_t = sympy.Symbol("t", real=True)
_D, _A, _q, _v, _end = sympy.symbols("D A q v end", positive=True)
_a, _b, _third, _away, _x, _y = sympy.symbols("a b third away x y", nonnegative=True)


@proof("bnwd:theorem-2.1", "corrected", "every constant explicit", *FACTS)
def of_most(claim: Claim) -> Iterator[Step]:
    """The budget, most classes, most pairs."""
    yield from explicit_route()
    s = symbolic.symbols(corrected_theorem.nc3_of_most)
    eta, wanted = _eta(s), {"nc3_of_most": 1, "intra_of_most": 8}
    for name, factor in wanted.items():
        formula = getattr(corrected_theorem, name)
        yield identity(
            f"the formula of {name} is 1 - {factor} eta_2",
            symbolic.expression(formula),
            1 - factor * eta(2),
        )
    yield identity(
        "the formula of inter_of_most is 8 sqrt(eta_5) - 1/(C-1)",
        symbolic.expression(corrected_theorem.inter_of_most),
        8 * sqrt(eta(5)) - 1 / (s["C"] - 1),
    )

    def sides(epsilon: Any, **instance: Any) -> dict[str, tuple[Any, Any]]:
        net = MostPairs(**instance)
        epsilon = number(epsilon)

        def eta(conditions: int) -> Any:
            q = balls.ball(conditions * epsilon / net.delta) / net.modulus
            return (q + 2 * (2 * q).sqrt()) / balls.ball(net.k * net.product)

        bounds = (1 - eta(2), 1 - 8 * eta(2), 8 * eta(5).sqrt() - balls.ball(1) / (net.C - 1))
        top = net.phi(net.k * net.product)
        return {
            **net.norms,
            "near-optimal loss": (net.loss, top + balls.ball(epsilon)),
            **net.compared(*bounds),
        }

    yield assumes(claim, **DOMAIN)
    yield tie("the claim compares these", claim, INSTANCES, sides)


def _eta(s: dict[str, sympy.Symbol]) -> Any:
    """The number eta_n in the symbols of a formula, with its modulus written out."""
    named = symbolic.symbols(gaps.modulus)
    modulus = symbolic.expression(gaps.modulus).xreplace(
        {symbol: s[name] for name, symbol in named.items()}
    )

    def eta(conditions: int) -> Any:
        q = conditions * s["epsilon"] / (modulus * s["delta"])
        return (s["C"] - 1) / (s["C"] * s["alpha"] * s["beta"]) * (q + 2 * sqrt(2 * q))

    return eta


def explicit_route() -> Iterator[Step]:
    """All but a fraction 2D of the classes obey, and all but 5D of the pairs.

    With q = epsilon/(lambda D) and eta = (C-1)/(C A) (q + 2 sqrt(2q)): classes have a cosine of at
    least 1 - eta and an intra-class cosine of at least 1 - 8 eta, pairs an inter-class cosine of
    at most 8 sqrt(eta) - 1/(C-1).
    """
    yield from _budget()
    yield from _good_classes()
    yield from _good_directions()
    yield from _good_pairs()
    yield from _counts()


def _budget() -> Iterator[Step]:
    """lambda mean G, second and lambda third are at most epsilon."""
    yield from chain_of_gaps()
    other = RIVALS * exp(-_t)
    yield identity(
        "the loss at a class mean is phi(t - G), above its tangent phi(t) + slope(t) G",
        diff(phi(_t - _x), _x).subs(_x, 0),
        other / (1 + other),
    )
    many = 1 + _v
    yield nonnegative(
        "a slope is at least that at R, as t <= R, k A <= R and phi is convex, and that is at "
        "least lambda: the difference of their inverses, with C = 2 + v",
        (many * _end + 2 + 1 / (many * _end)) - (1 + _end / many),
        [_end * _v * (2 + _v) / many + 1 + 1 / (many * _end)],
    )
    yield nonnegative("k A <= R = C k A: C = 1 + v", (1 + _v) * _A - _A, [_v, _A])


def _good_classes() -> Iterator[Step]:
    """(19), (20) for the mean of the squares of the relative norms, and their quotient."""
    yield from lemma()
    yield from on_the_interval()
    yield from sums()
    yield from fewer()
    yield nonnegative(
        "((alpha_c/alpha)^2 + (beta_c/beta)^2)/2 >= alpha_c beta_c/A >= inner/A",
        (_x**2 + _y**2) / 2 - _x * _y,
        [sympy.Rational(1, 2), (_x - _y) ** 2],
    )
    total = C * (_A - RIVALS / C * _third)
    yield identity(
        "they sum to at most C, those not in S to at least the inner products there over A: the "
        "mean over S is at most 1 + b, b = (C-1)/(C A) ((1-D)/D third + away)",
        (C - ((1 - _D) * total - RIVALS * _D * _away) / _A) / (_D * C),
        1 + RIVALS / (C * _A) * ((1 - _D) / _D * _third + _away),
    )
    yield identity(
        "with a = (C-1)/(C A) (third + away): a + b = (C-1)/(C A) (third/D + 2 away)",
        RIVALS / (C * _A) * ((_third + _away) + ((1 - _D) / _D * _third + _away)),
        RIVALS / (C * _A) * (_third / _D + 2 * _away),
    )
    yield nonnegative(
        "third/D <= q, and away^2 = 2 second (1-D)/(lambda D) <= 2q: so a + b <= eta",
        2 * _q - 2 * _q * (1 - _D),
        [2, _q, _D],
    )
    yield nonnegative(
        "inner >= (1-a) A and the norms' product <= (1+b) A: if a <= 1 the quotient is at least "
        "1 - (a + b); if eta >= 1 the bound is void",
        (1 - _a) - (1 - _a - _b) * (1 + _b),
        [_b, _a + _b],
    )
    yield from nearly_aligned()


def _good_directions() -> Iterator[Step]:
    """For a good class with eta <= 1/16, its mean direction is near both of its vectors.

    f are the features over alpha with mean x and mean square p^2, y the weight over beta with
    |y| = r, and e = a + b <= eta; D is the mean of the f/|f|.
    """
    p, r = sympy.symbols("p r", nonnegative=True)
    square, inner = sympy.symbols("square inner", real=True)
    yield identity(
        "mean |f - y|^2 = p^2 + r^2 - 2 <x, y> is at most 2 (1 + b) - 2 (1 - a) = 2e",
        (square - 2 * inner).subs({square: 2 * (1 + _b), inner: 1 - _a}),
        2 * (_a + _b),
    )
    yield identity("(p - r)^2 <= 2e too, as p r >= <x, y>", (p - r) ** 2, p**2 + r**2 - 2 * p * r)
    yield nonnegative(
        "(p + r)^2 <= 2 (p^2 + r^2)", 2 * (p**2 + r**2) - (p + r) ** 2, [(p - r) ** 2]
    )
    yield nonnegative("(p + r)^2 >= 4 p r", (p + r) ** 2 - 4 * p * r, [(p - r) ** 2])
    yield nonnegative(
        "so (p + r)/2 is at most sqrt(1 + b) <= 1 + b", (1 + _b) ** 2 - (1 + _b), [_b, 1 + _b]
    )
    part = _a / (1 + _a)
    yield nonnegative(
        "and at least sqrt(1 - a) >= 1 - a, for a < 1 written a/(1 + a)",
        (1 - part) - (1 - part) ** 2,
        [_a, (1 + _a) ** -2],
    )
    z = sympy.Symbol("z", nonnegative=True)
    off = z / sqrt(2) + z**2
    yield identity(
        "hence |1 - r| <= e + sqrt(2e)/2, at most z/sqrt(2) + z^2 for z^2 = eta",
        z**2 + sqrt(2) * z / 2,
        off,
    )
    yield identity(
        "|D - x| <= mean ||f| - 1| <= mean |f - y| + |1 - r|, as |f/|f| - f| = ||f| - 1|",
        sqrt(2) * z + off,
        3 / sqrt(2) * z + z**2,
    )
    yield identity(
        "|D - y| <= mean |f/|f| - f| + mean |f - y|",
        (sqrt(2) * z + off) + sqrt(2) * z,
        5 / sqrt(2) * z + z**2,
    )


def _good_pairs() -> Iterator[Step]:
    """(22) for a pair, and the inner product of two mean directions."""
    D, x, E, y = sympy.symbols("D_c x_c D_r y_r", real=True)
    yield identity(
        "<D, D'> = <x, y'> + <D - x, y'> + <D, D' - y'>, and |D| <= 1",
        D * E,
        x * y + (D - x) * y + D * (E - y),
    )
    own = sympy.Symbol("own", real=True)
    yield identity("(22): -k inner + inner = -inner/(C-1)", -K * own + own, -own / RIVALS)
    root = sqrt(2 * _q)
    yield nonnegative(
        "its excess r = (q + sqrt(q^2 + 8q))/2 is at most q + sqrt(2q): squared",
        (_q + 2 * root) ** 2 - (_q**2 + 8 * _q),
        [4, _q, root],
    )
    many = 1 + _v
    excess = _q + root
    yield nonnegative(
        "<x, y'> + 1/(C-1) <= a/(C-1) + r/A <= 3 eta, as a <= (C-1)/(C A) (q + sqrt(2q)): with "
        "C = 2 + v",
        3 * many / ((2 + _v) * _A) * excess - (1 / (2 + _v) + 1) * excess / _A,
        [2 * _v / (2 + _v), excess, 1 / _A],
    )
    yield covered(
        "(3/sqrt(2) + z)(1 + z/sqrt(2) + z^2) + 5/sqrt(2) + z + 3z <= 8 for z <= 1/4",
        lambda xp, z: (
            8
            - (3 / xp.sqrt(balls.ball(2)) + z) * (1 + z / xp.sqrt(balls.ball(2)) + z * z)
            - 5 / xp.sqrt(balls.ball(2))
            - 4 * z
        ),
        {"z": (Fraction(0), Fraction(1, 4))},
    )
    yield nonnegative(
        "for z >= 1/4 the bound is at least 2 - 1/(C-1) >= 1: C = 2 + v",
        2 - 1 / many - 1,
        [_v, 1 / many],
    )


def _counts() -> Iterator[Step]:
    """How many classes and pairs are lost."""
    yield from bregman_lower_bound()
    f, rest, r = sympy.symbols("f rest r", positive=True)
    share, other = f / (f + rest), rest / (f + rest)
    wide = r / other
    yield identity(
        "a fraction f of rivals at r above the mean, the others f r/(1-f) below: their distance",
        r + share * r / other,
        wide,
    )
    yield nonnegative(
        "then G >= f (1-f) w^2/(2 + w) >= f r^2/(2 + r), w = r/(1-f)",
        share * other * wide**2 / (2 + wide) - share * r**2 / (2 + r),
        [
            2 * f**2 * r**2 / (f + rest) ** 2,
            1 / (2 + r),
            (f + rest) / (r * (f + rest) + 2 * rest),
        ],
    )
    yield nonnegative("r^2/(2 + r) grows", diff(r**2 / (2 + r), r), [r, 4 + r, (2 + r) ** -2])
    reach = (_q + sqrt(_q**2 + 8 * _q)) / 2
    yield identity(
        "at the excess r^2/(2 + r) = q: the mean of f is at most mean G/q <= D",
        reach**2,
        _q * (2 + reach),
    )
    delta = sympy.Symbol("delta", positive=True)
    yield identity("two conditions on a class: 2D = delta", 2 * (delta / 2), delta)
    yield identity(
        "pairs with one of 2D C lost classes, or with (22) lost both ways, of C (C-1)/2",
        2 * _D * C * RIVALS + _D * C * RIVALS / 2,
        5 * _D * (C * RIVALS / 2),
    )
    yield cases(
        "no gap, no exception: for q = 0 all rivals have their mean logit",
        {"r at q = 0": reach.subs(_q, 0) == 0},
    )


# -- exact instances -----------------------------------------------------------------------

DOMAIN = {
    **UNDER_NORMS,
    "epsilon": "budget",
    "subset": "mask",
    "pairs": "mask",
    "share": "proportion",
}
INSTANCES = [
    {
        **network,
        **point(subset=subset, pairs=pairs, share="2/3", alpha=1, beta="1/2", epsilon="1/100"),
    }
    for network, subset, pairs in zip(NETWORKS, ([1, 0, 1], [0, 1]), ([0, 1, 1], [1]), strict=True)
]


class MostPairs(Most):
    """A network with a set of classes and a set of pairs, and the cosines of both."""

    def __init__(self, h: Any, pairs: Any, share: Any, **network: Any) -> None:
        super().__init__(h=h, **network)
        self.pairs = [i for i, chosen in enumerate(pairs) if chosen]
        fraction = min(self.share, Fraction(len(self.pairs), len(pairs)))
        self.delta = number(share) * fraction
        self.directions = [_mean_direction(rows) for rows in h]

    @property
    def cosines(self) -> list[Any]:
        """Those of the centred weights and the class means."""
        lengths = zip(self.inner, self.lengths, self.weights, strict=True)
        return [balls.ball(x) / (a * b) for x, a, b in lengths]

    @property
    def inter(self) -> list[Any]:
        """The inter-class cosines of the chosen pairs."""
        found = [
            dot(self.directions[c], self.directions[r]) for c in range(self.C) for r in range(c)
        ]
        return [found[i] for i in self.pairs]

    def compared(self, nc3: Any, intra: Any, inter: Any) -> dict[str, tuple[Any, Any]]:
        """The three conclusions for their bounds."""
        within = [dot(x, x) for x in self.directions]
        aligned = greatest([balls.ball(0), *self.chosen(self.cosines)])
        return {
            "cosine of weights and class means": (nc3, aligned),
            "intra-class cosine": (intra, greatest(self.chosen(within))),
            "inter-class cosine": (least(self.inter), inter),
        }


def _mean_direction(rows: Any) -> list[Any]:
    directions = [[balls.ball(x) / balls.ball(dot(row, row)).sqrt() for x in row] for row in rows]
    return [sum(column, balls.ball(0)) / len(rows) for column in zip(*directions, strict=True)]
