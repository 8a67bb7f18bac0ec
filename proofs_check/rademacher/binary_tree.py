"""Proofs of the Rademacher bounds of tree-shaped convolutional networks.

Second moments are peeled level by level: a linear node costs nothing, a ReLU a factor 2 in the
square, so sqrt(2) in the bound. That nodes share a kernel does no harm: the supremum over one
kernel of a sum over nodes is at most the sum of the suprema. No contraction principle is taken
from a book: for the ReLU it is four cases, and they are checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations, pairwise, product
from math import prod
from typing import Any

import numpy as np
import sympy
from sympy import Max, sqrt

from ncbounds.arithmetic import balls, symbolic
from ncbounds.theory.rademacher import binary_tree, moments
from ncbounds.theory.terms import Claim
from proofs_check.facts import INDEPENDENT_SIGNS
from proofs_check.rademacher.moments import (
    PEELING,
    SIZE_INDEPENDENT,
    moment_peeling,
    size_independent,
)
from proofs_check.steps import (
    Step,
    assumes,
    cases,
    identity,
    nonnegative,
    number,
    point,
    proof,
    tie,
)

_a, _b, _v, _w = sympy.symbols("a b v w", real=True)
_p, _q, _h, _excess = sympy.symbols("p q h excess", nonnegative=True)
_n = sympy.Symbol("n", integer=True, nonnegative=True)


# -- Theorem 4 ------------------------------------------------------------------------------------


@proof("square:theorem-4", "sharp", "second moments", INDEPENDENT_SIGNS)
def second_moment_peeling(claim: Claim) -> Iterator[Step]:
    """E sup |sum eps h|^2 <= 2^(L-1) rho^2 sum |x_i|^2, by a sum A_l of one term a node of level l.

    A_l is the sum over the nodes v of level l of E sup |sum_i eps_i v(x_i)|^2, the supremum over
    unit kernels. The claim lets every sign vector have a network of its own, which is what the
    supremum inside the mean allows.
    """
    yield from _second_moments()
    yield assumes(claim, samples="real", kernels="real", rho="positive")
    yield tie("the claim compares these", claim, _TREES, _tree_sides(2, _sharp_factor))


@proof("square:theorem-4", "printed", "Definition 1, with the factor 2", INDEPENDENT_SIGNS)
def printed_tree(claim: Claim) -> Iterator[Step]:
    """The printed bound is the sharp one times 2^((L-1)/2)."""
    s = symbolic.symbols(binary_tree.printed_tree_bound)
    yield from _second_moments()
    yield from _powers_of_two()
    yield identity(
        "the square of the printed bound is 2^(L-1) times that of the sharp one",
        symbolic.expression(binary_tree.printed_tree_bound) ** 2,
        symbolic.expression(binary_tree.sharp_tree_bound) ** 2 * 2 ** (s["L"] - 1),
    )
    yield assumes(claim, samples="real", kernels="real", rho="positive")
    yield tie("the claim compares these", claim, _TREES, _tree_sides(2, lambda L: 4**L))


@proof("square:theorem-4", "printed", "without the factor 2, as in the proof", INDEPENDENT_SIGNS)
def printed_tree_without_factor(claim: Claim) -> Iterator[Step]:
    """Half the sharp bound holds without the factor 2; the printed one is 2^((L-1)/2) larger."""
    s = symbolic.symbols(binary_tree.proof_tree_bound)
    yield from _second_moments()
    yield from _powers_of_two()
    yield identity(
        "the square of the printed bound is 2^(L-1) times that of half the sharp one",
        symbolic.expression(binary_tree.proof_tree_bound) ** 2,
        (symbolic.expression(binary_tree.sharp_tree_bound) / 2) ** 2 * 2 ** (s["L"] - 1),
    )
    yield assumes(claim, samples="real", kernels="real", rho="positive")
    yield tie("the claim compares these", claim, _TREES, _tree_sides(1, lambda L: 4 ** (L - 1)))


@proof("square:theorem-4", "printed", "a ReLU after the last layer too", *PEELING)
def printed_tree_with_output(claim: Claim) -> Iterator[Step]:
    """L levels of ReLU cost ((1 + sqrt 2)/2)^L, at most 2^(L-1) from L = 2 on."""
    yield from moment_peeling()
    factor = (1 + sqrt(2)) / 2
    yield cases(
        "((1 + sqrt 2)/2)^2 <= 2, and a further level costs less than 2",
        {"two levels": bool(factor**2 <= 2), "a further one": bool(factor <= 2)},
    )
    yield cases("the claim starts at two levels", {"least L": claim.sizes["L"][0] >= 2})
    yield assumes(claim, samples="real", kernels="real", rho="positive")
    sides = _tree_sides(2, lambda L: 4**L, linear_output=False)
    yield tie("the claim compares these", claim, _TREES[4:], sides)


@proof("square:theorem-4", "sharp", "half of a ReLU is linear", *SIZE_INDEPENDENT)
def half_linear(claim: Claim) -> Iterator[Step]:
    """L - 1 levels of ReLU, and one path to each input; the published factors are larger."""
    yield from moment_peeling()
    yield from size_independent()
    n, b, c = sympy.symbols("n b c", nonnegative=True)
    s = symbolic.symbols(moments.size_independent_tree_bound)
    yield identity(
        "n = L - 1 levels: (n + 5/2) log 2 = (L + 3/2) log 2",
        symbolic.expression(moments.size_independent_tree_bound),
        2 * sqrt((s["L"] + sympy.Rational(3, 2)) * sympy.log(2)) * s["rho"] * s["norm"] / s["m"],
    )
    ell, rest = sympy.symbols("ell rest", nonnegative=True)
    yield cases("rest = 1 - log(2)/2 is positive", {"log 2 < 2": bool(sympy.log(2) < 2)})
    yield nonnegative(
        "(1 + r)^2 less (L + 3/2) ell for ell = log 2, r^2 = 2 ell L, L = n + 1, 1 = rest + ell/2",
        rest + ell / 2 + 2 * b + 2 * ell * (n + 1) - (n + sympy.Rational(5, 2)) * ell,
        [rest + 2 * b + n * ell],
    )
    yield nonnegative(
        "that for sparse networks has more under the root", (n + 1) + n - (n + 1), [n]
    )
    yield nonnegative(
        "the sum of squares of two patches is at most twice the larger",
        2 * (b + c) - (b + b + c),
        [c],
    )
    yield assumes(claim, samples="real", kernels="real", rho="positive", k="integer >= 1")
    instances = [{**tree, "k": Fraction(1 + i % 4)} for i, tree in enumerate(_TREES)]
    yield tie("the claim compares these", claim, instances, _half_linear_sides)


def _half_linear_sides(samples: Any, kernels: Any, rho: Any, k: Any) -> dict[str, tuple[Any, Any]]:
    """The attained complexity of Definition 1, against the four factors."""
    (m, d), L = samples.shape, kernels.shape[1]
    attained, plain = _tree_sides(2, lambda L: 1)(samples, kernels, rho)["complexity"]
    order = 2 * int(number(k))
    level = (1 + balls.root(balls.ball(2), order)) / 2
    odd = balls.root(balls.ball(prod(range(1, order, 2))), order)
    log_two = balls.log(balls.ball(2))
    patches = [sum(x * x for x in samples[:, j : j + 2].ravel()) for j in range(0, d, 2)]
    largest = balls.sqrt(balls.ball(Fraction(max(patches) * 2 ** (L - 1))))
    sparse = 1 + balls.sqrt((4 * L - 2) * log_two)
    return {
        "moments of order 2k": (attained, 2 * level ** (L - 1) * odd * plain),
        "size-independent": (attained, balls.sqrt((4 * L + 6) * log_two) * plain),
        "as remarked after (22)": (attained, (2 + balls.sqrt(8 * L * log_two)) * plain),
        "compositionally sparse": (attained, 2 * sparse * largest * balls.ball(number(rho)) / m),
    }


def _second_moments() -> Iterator[Step]:
    """A_0 = sum |x_i|^2, A_1 <= A_0, A_(l+1) <= 2 A_l; then the root of A_L rho^2, times 2/m."""
    yield from _homogeneity()
    yield from _inputs()
    yield nonnegative(
        "a linear node: |w_1 a + w_2 b|^2 <= |w|^2 (a^2 + b^2), so the sum over the nodes of a "
        "level is at most that over their inputs, also with a kernel in common",
        (_v**2 + _w**2) * (_a**2 + _b**2) - (_v * _a + _w * _b) ** 2,
        [(_v * _b - _w * _a) ** 2],
    )
    yield from _relu_contraction()
    mean, square = sympy.symbols("mean square", real=True)
    yield identity(
        "E u^2 - (E u)^2 = E (u - E u)^2 >= 0: a mean is at most the root of the mean square",
        sympy.expand((_v - mean) ** 2).subs(_v**2, square).subs(_v, mean),
        square - mean**2,
    )
    s = symbolic.symbols(binary_tree.sharp_tree_bound)
    L, rho, m, norm = s["L"], s["rho"], s["m"], s["norm"]
    yield identity("a further level doubles 2^(L-1), which is 1 for L = 1", 2 * 2 ** (L - 1), 2**L)
    yield identity("2^(1-1) = 1", (2 ** (L - 1)).subs(L, 1), 1)
    yield identity(
        "2/m times the root of 2^(L-1) rho^2 |X|^2 is the sharp bound",
        symbolic.expression(binary_tree.sharp_tree_bound),
        2 / m * sqrt(2 ** (L - 1) * rho**2 * norm**2),
    )


def _homogeneity() -> Iterator[Step]:
    """Lengths of kernels factor out: the class is rho' times that of unit kernels, rho' <= rho."""
    c = sympy.Symbol("c", nonnegative=True)
    yield cases(
        "relu(c v) = c relu(v) for c >= 0: the product of the kernels' lengths factors out",
        {str(v): Max(c * v, 0) == c * Max(v, 0) for v in (_p, -_p)},
    )


def _inputs() -> Iterator[Step]:
    """E |sum_i eps_i x_i|^2 = sum_i x_i^2, by induction; for m <= 4 also by exhaustion."""
    yield identity(
        "the mean over one more sign of (s + eps x)^2 is s^2 + x^2",
        ((_v + _w) ** 2 + (_v - _w) ** 2) / 2,
        _v**2 + _w**2,
    )
    numbers = sympy.symbols("x_1:5", real=True)

    def second_moment(x: tuple[Any, ...]) -> Any:
        signs = list(product((1, -1), repeat=len(x)))
        return sum(sum(e * t for e, t in zip(eps, x, strict=True)) ** 2 for eps in signs) / len(
            signs
        )

    yield cases(
        "E |sum eps x|^2 = sum x^2, term by term over all signs",
        {
            f"m = {m}": sympy.expand(second_moment(numbers[:m]) - sum(t**2 for t in numbers[:m]))
            == 0
            for m in range(1, 5)
        },
    )


def _relu_contraction() -> Iterator[Step]:
    """E sup |sum eps relu(t)|^2 <= 2 E sup |sum eps t|^2 over any bounded set T of vectors t.

    Write G(u) = max(u, 0)^2 and a = sum eps relu(t). As a^2 = G(a) + G(-a), and -eps is
    distributed as eps, the left side is at most 2 E sup G(sum eps relu(t)). There relu is
    dropped from one coordinate i after the other. With t_1 the sum over the other coordinates
    and t_2 = t_i, the mean over eps_i is the supremum over t and s in T of half of
    G(t_1 + relu(t_2)) + G(s_1 - relu(s_2)). By the four cases this is at most the larger of
    G(t_1 + t_2) + G(s_1 - s_2) and G(s_1 + s_2) + G(t_1 - t_2): the same expression without
    relu, for (t, s) or for (s, t). At last G(u) <= u^2. (For contractions in general this is in
    Ledoux and Talagrand, Probability in Banach Spaces, proof of Theorem 4.12.)
    """

    def G(u: Any) -> Any:
        return Max(u, 0) ** 2

    yield cases(
        "a^2 = G(a) + G(-a)",
        {str(a): sympy.expand(a**2 - G(a) - G(-a)) == 0 for a in (_p, -_p)},
    )
    yield nonnegative("G grows: from u = p >= 0 to p + h", G(_p + _h) - G(_p), [_h, 2 * _p + _h])
    yield nonnegative("G grows: from u = -p <= 0", G(_h - _p) - G(-_p), [G(_h - _p)])
    yield nonnegative(
        "G bends up: G(u+h) + G(u-h) >= 2 G(u) for u = h + p",
        G(2 * _h + _p) + G(_p) - 2 * G(_h + _p),
        [2, _h**2],
    )
    yield nonnegative(
        "G bends up: for 0 <= u = p and h = p + q",
        G(2 * _p + _q) + G(-_q) - 2 * G(_p),
        [2 * _p**2 + 4 * _p * _q + _q**2],
    )
    yield nonnegative(
        "G bends up: for u = -p <= 0",
        G(_h - _p) + G(-_p - _h) - 2 * G(-_p),
        [G(_h - _p)],
    )
    yield cases(
        "the four cases of signs of t_2 and s_2, for any G that grows and bends up", _two_points()
    )
    yield nonnegative("G(u) <= u^2 for u = -p; for u >= 0 they are equal", _p**2 - G(-_p), [_p**2])
    yield cases(
        "the contraction, counted out on all pairs of vectors of -1, 0, 2 and triples of -2, 1",
        _counted_contraction(),
    )


def _two_points() -> dict[str, bool]:
    """The gain of one side or of their mean is a sum of gains that are >= 0, whatever G is."""
    G = sympy.Function("G")
    t, s = sympy.symbols("t_1 s_1", real=True)

    def grows(u: Any, h: Any) -> Any:
        return G(u + h) - G(u)

    def bends(u: Any, h: Any) -> Any:
        return (G(u + h) + G(u - h) - 2 * G(u)) / 2

    # For t_2, s_2: the share of the side of (t, s) in what is compared, and its gain.
    shares = {
        (_p, _q): (Fraction(1), 0),
        (_p, -_q): (Fraction(1), grows(s, _q)),
        (-_p, _q): (Fraction(0), grows(t, _p) + grows(s - _q, 2 * _q)),
        (-_p, -_q): (Fraction(1, 2), bends(t, _p) + bends(s, _q)),
    }
    checks = {}
    for (t_2, s_2), (share, gain) in shares.items():
        left = G(t + Max(t_2, 0)) + G(s - Max(s_2, 0))
        this, other = G(t + t_2) + G(s - s_2), G(s + s_2) + G(t - t_2)
        mixed = sympy.Rational(share) * this + (1 - sympy.Rational(share)) * other
        checks[f"t_2 = {t_2}, s_2 = {s_2}"] = sympy.expand(mixed - left - gain) == 0
    return checks


def _counted_contraction() -> dict[str, bool]:
    """The inequality of `_relu_contraction` on small classes in whole numbers."""
    pairs = combinations(product((-1, 0, 2), repeat=2), 2)
    triples = combinations(product((-2, 1), repeat=3), 3)
    checks = {}
    for vectors in (*pairs, *triples):
        clipped = [[max(x, 0) for x in t] for t in vectors]
        checks[str(vectors)] = _sup_square(clipped) <= 2 * _sup_square(vectors)
    return checks


def _sup_square(vectors: Any) -> int:
    """Sum over all signs of sup |sum eps t|^2."""
    return sum(
        max(sum(e * x for e, x in zip(eps, t, strict=True)) ** 2 for t in vectors)
        for eps in product((1, -1), repeat=len(vectors[0]))
    )


def _powers_of_two() -> Iterator[Step]:
    """2^(L-1) >= 1 for L >= 1, by induction."""
    yield identity("2^0 = 1", (2**_n).subs(_n, 0), 1)
    yield identity(
        "2^(n+1) - 1 = 2 (2^n - 1) + 1 is not less than 2^n - 1 >= 0",
        2 ** (_n + 1) - 1,
        2 * (2**_n - 1) + 1,
    )


# -- Equation (25) --------------------------------------------------------------------------------


@proof("square:eq-25", "printed", "the root over the product only")
def printed_exponent(claim: Claim) -> Iterator[Step]:
    """The exponents 1 + ... + L add up to L(L+1)/2, whose half goes with L."""
    s = symbolic.symbols(binary_tree.printed_dense_bound)
    L, rho, m, norm = s["L"], s["rho"], s["m"], s["norm"]
    level = sympy.Symbol("l", integer=True, positive=True)
    total = L * (L + 1) / 2
    yield identity("1 + ... + L = L(L+1)/2", sympy.summation(level, (level, 1, L)), total)
    yield identity("a further level adds L + 1", total.subs(L, L + 1), total + L + 1)
    yield cases(
        "prod 2^l = 2^(L(L+1)/2), multiplied out",
        {f"L = {n}": prod(2**i for i in range(1, n + 1)) == 2 ** total.subs(L, n) for n in _DEPTHS},
    )
    yield identity(
        "2^L sqrt(prod 2^l) rho |X| / m is the right side of (25)",
        2**L * 2 ** (total / 2) * rho * norm / m,
        symbolic.expression(binary_tree.printed_dense_bound),
    )

    def sides(kernels: Any, norm: Any, m: Any) -> dict[str, tuple[Any, Any]]:
        L = len(kernels)
        widths = prod(2**i for i in range(1, L + 1))
        scale = _product_of_norms(kernels) * balls.ball(number(norm) / number(m))
        left = 2**L * balls.sqrt(balls.ball(widths))
        right = balls.root(balls.ball(2 ** (L * L + 5 * L)), 4)
        return {"equation (25)": (left * scale, right * scale)}

    yield assumes(claim, kernels="real", norm="positive", m="integer >= 1")
    yield tie("the claim compares these", claim, _KERNELS, sides, ("equation (25)",))


@proof("square:eq-25", "corrected", "the layers' own norms")
def corrected_exponent(claim: Claim) -> Iterator[Step]:
    """The matrix of level l repeats its kernel in 2^(L-l) rows; exponents 0..L-1 add up.

    The result is larger than the bound of Theorem 4, so it bounds the complexity too.
    """
    s = symbolic.symbols(binary_tree.dense_bound)
    L, rho, m, norm = s["L"], s["rho"], s["m"], s["norm"]
    level = sympy.Symbol("l", integer=True, positive=True)
    total = L * (L - 1) / 2
    yield identity("(L-1) + ... + 0 = L(L-1)/2", sympy.summation(L - level, (level, 1, L)), total)
    yield identity("a further level adds L", total.subs(L, L + 1), total + L)
    yield cases(
        "the matrices fit, each holds either number of its kernel 2^(L-l) times, and these "
        "counts multiply to 2^(L(L-1)/2)",
        {f"L = {n}": _counted_layers(n, 2 ** int(total.subs(L, n))) for n in _DEPTHS},
    )
    yield identity(
        "2^L sqrt(prod 2^(L-l)) rho |X| / m is the corrected bound",
        2**L * 2 ** (total / 2) * rho * norm / m,
        symbolic.expression(binary_tree.dense_bound),
    )
    yield identity(
        "which is the bound of Theorem 4 times 2^(L(L-1)/4)",
        symbolic.expression(binary_tree.printed_tree_bound) * 2 ** (total / 2),
        symbolic.expression(binary_tree.dense_bound),
    )
    yield nonnegative(
        "L(L-1)/4 >= 0 for L = n + 1", (total / 2).subs(L, _n + 1), [_n, (_n + 1) / 4]
    )

    def sides(kernels: Any, norm: Any, m: Any) -> dict[str, tuple[Any, Any]]:
        L = len(kernels)
        square = prod(_squared_entries(matrix) for matrix in _layers(kernels))
        scale = balls.ball(number(norm) / number(m))
        left = 2**L * balls.sqrt(balls.ball(Fraction(square))) * scale
        right = balls.root(balls.ball(2 ** (L * L + 3 * L)), 4) * _product_of_norms(kernels) * scale
        return {"dense bound": (left, right)}

    yield assumes(claim, kernels="real", norm="positive", m="integer >= 1")
    yield tie("the claim compares these", claim, _KERNELS, sides, ("dense bound",))


_DEPTHS = range(1, 9)


def _layers(kernels: Any) -> list[Any]:
    """The matrices of the levels l = 1..L: row r holds the kernel in the columns 2r and 2r + 1."""
    matrices = []
    for level, kernel in enumerate(kernels, start=1):
        rows = 2 ** (len(kernels) - level)
        matrix = np.zeros((rows, 2 * rows), dtype=object)
        for row in range(rows):
            matrix[row, 2 * row : 2 * row + 2] = kernel
        matrices.append(matrix)
    return matrices


def _counted_layers(L: int, expected: int) -> bool:
    """Whether the matrices chain from 2^L inputs to one output and hold the kernels so often."""
    matrices = _layers([(1, 2)] * L)
    fits = [below.shape[0] == above.shape[1] for below, above in pairwise(matrices)]
    ends = matrices[0].shape[1] == 2**L and matrices[-1].shape[0] == 1
    counts = [(int((a == 1).sum()), int((a == 2).sum())) for a in matrices]
    even = all(first == second for first, second in counts)
    return all(fits) and ends and even and prod(first for first, _ in counts) == expected


def _squared_entries(matrix: Any) -> Fraction:
    return Fraction(sum(entry * entry for entry in matrix.ravel()))


# -- the claims' own sides on exact instances -----------------------------------------------------


def _tree(L: int, m: int) -> dict[str, Any]:
    """Whole-number samples of both signs, and a network of its own for each sign vector."""
    samples = [[(5 * i + 3 * j * j + 2) % 9 - 4 for j in range(2**L)] for i in range(m)]
    kernels = [
        [[(3 * s + 2 * level) % 5 - 1, 2 * ((2 * s + 5 * level) % 7) - 7] for level in range(L)]
        for s in range(2 ** (m - 1))
    ]
    return point(samples=samples, kernels=kernels, rho="7/3")


_TREES = [_tree(L, m) for L in (1, 2, 3) for m in (1, 2, 3, 4)]
_KERNELS = [
    point(kernels=[[level + 1, Fraction(2 - level, 3)] for level in range(L)], norm="11/7", m=L + 2)
    for L in _DEPTHS
]


def _sharp_factor(L: int) -> int:
    """Square of the factor 2 * 2^((L-1)/2)."""
    return int(2 ** (L + 1))


def _tree_sides(
    factor: int, squared_factor: Callable[[int], int], linear_output: bool = True
) -> Callable[..., dict[str, tuple[Any, Any]]]:
    """Complexity attained over all 2^m sign vectors, against sqrt(squared factor) rho |X| / m."""

    def sides(samples: Any, kernels: Any, rho: Any) -> dict[str, tuple[Any, Any]]:
        (m, _), L = samples.shape, kernels.shape[1]
        attained = balls.ball(0)
        for turned in range(2**m):
            # The first sample's sign is bit m - 1; a vector and its opposite have one network.
            network = min(turned, 2**m - 1 - turned)
            signs = [-1 if turned >> (m - 1 - i) & 1 else 1 for i in range(m)]
            outputs = [_node(x, kernels[network]) for x in samples]
            if not linear_output:
                outputs = [max(h, 0) for h in outputs]
            total = sum(e * h for e, h in zip(signs, outputs, strict=True))
            attained += balls.ball(Fraction(abs(total))) / _product_of_norms(kernels[network])
        square = Fraction(squared_factor(L) * sum(x * x for x in samples.ravel()))
        bound = balls.sqrt(balls.ball(square)) * balls.ball(number(rho)) / m
        return {"complexity": (attained * balls.ball(number(rho)) * factor / m / 2**m, bound)}

    return sides


def _node(x: Any, kernels: Any) -> Any:
    """Output of the node on top of the inputs x, kernels as long as they are."""
    if not len(kernels):
        return x[0]
    half = len(x) // 2
    below = [_node(x[:half], kernels[:-1]), _node(x[half:], kernels[:-1])]
    if len(kernels) > 1:
        below = [max(v, 0) for v in below]
    return kernels[-1][0] * below[0] + kernels[-1][1] * below[1]


def _product_of_norms(kernels: Any) -> Any:
    square = prod(kernel[0] * kernel[0] + kernel[1] * kernel[1] for kernel in kernels)
    return balls.sqrt(balls.ball(Fraction(square)))
