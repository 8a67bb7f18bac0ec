"""What off-class logits cost: steps of the proofs about pairs of classes. k = C/(C-1).

The mean absolute deviation of the rivals' logits from their mean bounds G from below, by a lemma
on log-moments, and G and the misalignment share one budget, T s.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy import cosh, diff, exp, log, sinh, sqrt

from ncbounds.arithmetic import symbolic
from ncbounds.theory.proximity import class_pairs
from proofs_check.steps import Step, identity, nonnegative

_C = sympy.Symbol("C", integer=True, positive=True)
_K = _C / (_C - 1)
_e, _f, _x = sympy.symbols("e f x", real=True)
_rest, _n, _t = sympy.symbols("rest n t", nonnegative=True)
_o, _T = sympy.symbols("o T", positive=True)


def off_class_lemma() -> Iterator[Step]:
    """E u = 0 gives log E e^u >= (sqrt(1 + 4 m^2) - 1)/4 with m = E|u|.

    Jensen on each sign leaves two values, shares r and 1 - r, a distance w = m/(2r(1-r)) apart.
    Both sides vanish at w = 0, so their derivatives in w decide; these are p/(r + 1/(e^w - 1)) and
    p/sqrt(1 + 1/(4pw)^2) with p = r(1-r).
    """
    w, r, m = sympy.symbols("w r m", positive=True)
    p = r * (1 - r)
    yield identity("the positive part m/2 over r is (1-r) w", m / 2 / r, (1 - r) * (m / (2 * p)))
    yield identity("the negative part over 1-r is r w", m / 2 / (1 - r), r * (m / (2 * p)))
    mean = r * exp((1 - r) * w) + (1 - r) * exp(-r * w)
    yield identity("E e^u = (1 - r + r e^w) e^(-rw)", mean, (1 - r + r * exp(w)) * exp(-r * w))
    F = log(1 - r + r * exp(w)) - r * w
    yield identity("the logarithm vanishes at w = 0", F.subs(w, 0), 0)
    yield identity("its derivative", diff(F, w), p / (r + 1 / (exp(w) - 1)))
    R = (sqrt(1 + 4 * (2 * p * w) ** 2) - 1) / 4
    yield identity("the bound vanishes at w = 0", R.subs(w, 0), 0)
    # Both are p times the inverse of a positive number: their squares decide.
    yield identity(
        "the derivative of the bound, squared",
        diff(R, w) ** 2,
        p**2 / (1 + 1 / (16 * p**2 * w**2)),
    )
    x, d = sympy.Symbol("x", positive=True), sympy.Symbol("d", real=True)
    yield identity(
        "r + 1/(e^w - 1) = (d + coth(w/2))/2 with d = 2r - 1, w = 2x",
        ((1 + d) / 2 + 1 / (exp(2 * x) - 1)).rewrite(exp),
        ((d + (exp(x) + exp(-x)) / (exp(x) - exp(-x))) / 2).rewrite(exp),
    )
    yield identity(
        "coth^2 = 1 + 1/sinh^2, at most 1 + 1/x^2 as sinh x >= x",
        ((cosh(x) / sinh(x)) ** 2).rewrite(exp),
        (1 + 1 / sinh(x) ** 2).rewrite(exp),
    )
    yield identity("sinh x - x vanishes at 0", (sinh(x) - x).subs(x, 0), 0)
    yield nonnegative(
        "its derivative is 2 sinh(x/2)^2",
        (diff(sinh(x) - x, x)).rewrite(exp),
        [2, ((exp(x / 2) - exp(-x / 2)) / 2) ** 2],
    )
    yield identity("4 r (1-r) = 1 - d^2", (4 * p).subs(r, (1 + d) / 2), 1 - d**2)
    q, z = sympy.symbols("q z", real=True)
    yield identity(
        "4 (1 + Y/(4 (1-z)^2)) - (d + q)^2 for q^2 = 1 + Y, Y = 1/x^2, z = d^2",
        4 + (q**2 - 1) / (1 - d**2) ** 2 - (d + q) ** 2,
        (1 - d * q) ** 2 + 2 * (1 - d**2) + (q**2 - 1) * (d**2 + d**4 - d**6) / (1 - d**2) ** 2,
    )
    yield nonnegative(
        "z (1 + z - z^2)/(1-z)^2 >= 0 for z = n/(1 + n)",
        (z * (1 + z - z**2) / (1 - z) ** 2).subs(z, _n / (1 + _n)),
        [_n * (1 + _n), 1 + _n / (1 + _n) ** 2],
    )
    yield nonnegative(
        "d + coth >= 0 for d = t - 1, coth = 1 + n, so its square grows with coth",
        (_t - 1) + (1 + _n),
        [_t + _n],
    )


def budget() -> Iterator[Step]:
    """T - mean p = (T - mean t) + mean G, and T >= mean t."""
    own, everyone, t, G = sympy.symbols("own everyone t G", real=True)
    yield identity(
        "the mean rival logit less the own is -k <w_c - mean w, h> = -t",
        (everyone - own) / (_C - 1) - own,
        -_K * (own - everyone / _C),
    )
    yield identity("p = t - G: T - p = (T - t) + G", _T - (t - G), (_T - t) + G)
    alpha, b = sympy.symbols("alpha b", positive=True)
    yield identity(
        "mean <wdot, h> is at most alpha b: mean t at most T", _K * (alpha * b), _K * alpha * b
    )
    total = sympy.Symbol("total", real=True)
    yield identity(
        "a bias adds k (bias_c - mean bias) to t: the classes' sum is 0",
        _K * (total - _C * (total / _C)),
        0,
    )


def seen() -> Iterator[Step]:
    """E = A - v, D_cc' = <v_c', E_c> + x_c/(C-1), x_c = <v_c, E_c>; y and xi are mean |D|, |x|."""
    x, square = sympy.symbols("x square", real=True)
    yield identity(
        "the sum over rivals of D^2, the <v_c', E> adding up to -x over rivals and their squares "
        "to square - x^2, is square - k x^2",
        (square - x**2) + 2 * (x / (_C - 1)) * -x + (_C - 1) * (x / (_C - 1)) ** 2,
        square - _K * x**2,
    )
    xi, y = sympy.symbols("xi y", nonnegative=True)
    a, kappa = (_C - 1) / _o**2, _C / ((_C - 1) * _o**2)
    yield identity(
        "o^2 mean |E|^2 >= (C-1) mean D^2 + k mean x^2 reads mean |E|^2 >= a y^2 + kappa xi^2",
        ((_C - 1) * y**2 + _K * xi**2) / _o**2,
        a * y**2 + kappa * xi**2,
    )
    yield identity(
        "1/(kappa (C-1)^2) is o^2/(C(C-1))", 1 / (kappa * (_C - 1) ** 2), _o**2 / (_C * (_C - 1))
    )
    tau = sympy.Symbol("tau", real=True)
    yield nonnegative(
        "2 (1 - tau) - mean |A - v|^2 = 1 - mean |A|^2 >= 0, mean |A|^2 being 1 - t",
        2 * (1 - tau) - ((1 - _t) + 1 - 2 * tau),
        [_t],
    )
    X, own = sympy.symbols("X own", real=True)
    yield identity(
        "the off-class logit of a class mean over alpha b = T/k is (X_cc' + X_cc/(C-1)) + D_cc'",
        (X + _e) + (own + x) / (_C - 1),
        (X + own / (_C - 1)) + (_e + x / (_C - 1)),
    )
    alpha, b = sympy.symbols("alpha b", positive=True)
    yield identity("alpha b = T (C-1)/C", alpha * b, (_K * alpha * b) * (_C - 1) / _C)
    yield identity(
        "<e, v> + <u, f> = D + D' - (x + x')/(C-1)",
        (_e + x / (_C - 1)) + (_f + _x / (_C - 1)) - (x + _x) / (_C - 1),
        _e + _f,
    )


def cost() -> Iterator[Step]:
    """mean G >= (sqrt(1 + 4m^2) - 1)/4 >= m^2/(1 + sqrt(1 + 4M^2)) for m <= M."""
    m, root = sympy.symbols("m root", positive=True)
    yield identity(
        "(sqrt(1 + 4m^2) - 1)/4 = m^2/(1 + sqrt(1 + 4m^2))",
        (sqrt(1 + 4 * m**2) - 1) / 4 * (1 + sqrt(1 + 4 * m**2)),
        m**2,
    )
    yield nonnegative(
        "it is convex in m, so the mean over samples is at least the value at the mean",
        diff((sqrt(1 + 4 * m**2) - 1) / 4, m, 2),
        [(1 + 4 * m**2) ** sympy.Rational(-3, 2)],
    )
    yield nonnegative(
        "and increases",
        diff((sqrt(1 + 4 * m**2) - 1) / 4, m),
        [m, 1 / sqrt(1 + 4 * m**2)],
    )
    yield nonnegative(
        "a larger M makes less of it, sqrt(1 + 4M^2) being root + rest",
        1 / (1 + root) - 1 / (1 + root + _rest),
        [_rest, 1 / (1 + root), 1 / (1 + root + _rest)],
    )
    C, T, largest = sympy.symbols("C T largest", positive=True)
    yield identity(
        "2 G/T >= g y^2 at m = (T/k) y, for the formula g",
        class_pairs.off_class_cost(symbolic, C, T, largest),
        2 / T * (T * (C - 1) / C) ** 2 / (1 + sqrt(1 + 4 * (T * (C - 1) / C * largest) ** 2)),
    )


def best_use() -> Iterator[Step]:
    """The largest 2y + 2 beta xi + e2 under e2 + g (y-Y)_+^2 <= 2s and a y^2 + kappa xi^2 <= e2.

    By multipliers 1 + 1/eta and 1/eta; eta > 0 may be any. known = min(Y, eta/a).
    """
    a, g, eta, s, kappa, beta = sympy.symbols("a g eta s kappa beta", positive=True)
    y, xi, square, known = sympy.symbols("y xi square known", real=True)
    cost = (1 + eta) * g
    top = (eta + cost * known) / (a + cost)
    tangent = (top - known) ** 2 + 2 * (top - known) * (y - top)
    bound = class_pairs.gram_gap_at(a, g, beta**2 / kappa, s, eta, known)
    yield identity(
        "the bound less the aim is (1 + 1/eta) (2s - e2 - g tangent) + (e2 - a y^2 - kappa xi^2)"
        "/eta + squares",
        bound - (2 * y + 2 * beta * xi + square),
        (1 + 1 / eta) * (2 * s - square - g * tangent)
        + (square - a * y**2 - kappa * xi**2) / eta
        + a / eta * (y - top) ** 2
        + kappa / eta * (xi - eta * beta / kappa) ** 2,
    )
    yield identity(
        "top - known = (eta - a known)/(a + cost), not negative and 0 for known = eta/a",
        top - known,
        (eta - a * known) / (a + cost),
    )
    low, high = sympy.symbols("low high", nonnegative=True)
    yield nonnegative(
        "the tangent lies below (y - Y)^2",
        ((y - known) ** 2 - tangent),
        [(y - top) ** 2],
    )
    yield nonnegative(
        "and below 0 for y = Y - low, top = Y + high",
        -(high**2 + 2 * high * (-low - high)),
        [high, high + 2 * low],
    )
