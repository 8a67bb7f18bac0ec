"""Every bound on the largest one-vs-rest distance to 30 certified digits, beside mpmath.

For each bound the time a point over d = 2..4096 and K up to 10^12, certified; and by mpmath at 35
digits, which promises nothing: its incomplete beta function inverted by findroot from SciPy's
start, its hypergeometric function in Levenshtein's equation from our root to 12 digits, and the
closed forms. Where mpmath finds no root or another one, the point counts as failed. Then the
search for linear programming certificates, and their check in fractions.

Run as ``python benchmarks/bounds.py``.
"""

import time
from collections.abc import Callable
from fractions import Fraction
from statistics import median
from typing import Any

import mpmath
from scipy.special import betaincinv

from ncbounds.arithmetic.certified import certify
from ncbounds.arithmetic.formula import Formula
from ncbounds.codes.delsarte import delsarte_bound
from ncbounds.codes.levenshtein import degree, levenshtein_upper
from ncbounds.theory.softmax_code.code_bounds import (
    cap_lower,
    cap_upper,
    moment_upper,
    triangle_upper,
)
from ncbounds.theory.softmax_code.gamma_bounds import printed_upper, sharp_upper

DIGITS, ROUNDS = 30, 3
DIMENSIONS = (2, 3, 4, 8, 24, 64, 256, 1024, 4096)
CLASSES = (10, 1000, 10**6, 10**9, 10**12)
POINTS = [(d, K) for d in DIMENSIONS for K in CLASSES]

mp = mpmath.mp


def cap_by_mpmath(d: int, share: mpmath.mpf) -> mpmath.mpf:
    """The root of I_x((d-1)/2, 1/2) = share, in the logarithm of the share."""
    a = mp.mpf(d - 1) / 2
    start = float(betaincinv((d - 1) / 2, 0.5, float(share)))
    return mp.findroot(
        lambda x: mp.log(mp.betainc(a, 0.5, 0, x, regularized=True) / share),
        (start, start * (1 - mp.mpf(10) ** -9)),
        tol=mp.mpf(10) ** -58,
        verify=False,
    )


def upper_by_mpmath(d: int, K: int) -> mpmath.mpf:
    """The packing bound."""
    return 2 * cap_by_mpmath(d, mp.mpf(2) / K)


def lower_by_mpmath(d: int, K: int) -> mpmath.mpf:
    """The greedy bound."""
    y = cap_by_mpmath(d, mp.mpf(2) / (K - 1))
    return y / (1 + mp.sqrt(1 - y))


def moments_by_mpmath(d: int, K: int) -> mpmath.mpf:
    """Rankin's bounds and that of third moments."""
    if d + 1 >= K:
        return mp.mpf(K) / (K - 1)
    if 2 * d >= K:
        return mp.mpf(1)
    linear, excess = mp.mpf(d) * (d - 1), mp.mpf(K - 2 * d)
    return 1 - 2 * excess / (linear + mp.sqrt(linear**2 + 4 * d * (K - d - 1) * excess))


def triangle_by_mpmath(d: int, K: int) -> mpmath.mpf:
    """Fejes Toth's bound."""
    return 2 - 1 / (2 * mp.sin(mp.pi * K / (6 * mp.mpf(K - 2))) ** 2)


def levenshtein_by_mpmath(d: int, K: int) -> mpmath.mpf:
    """Levenshtein's equation in Gegenbauer polynomials, from our root to 12 digits."""
    m = degree(d, K)
    assert m is not None
    found = certify(levenshtein_upper, {"d": Fraction(d), "K": Fraction(K)}, 12)
    assert found is not None
    start = 1 - mp.mpf(found.value)
    k = (m + 1) // 2

    def G(i: int, t: mpmath.mpf) -> mpmath.mpf:
        return mp.hyp2f1(-i, i + d - 2, mp.mpf(d - 1) / 2, (1 - t) / 2)

    def excess(t: mpmath.mpf) -> mpmath.mpf:
        if m % 2:
            factor = mp.mpf(K) / mp.binomial(k + d - 3, k - 1) - mp.mpf(2 * k + d - 3) / (d - 1)
            return factor * (1 - t) * G(k, t) + G(k - 1, t) - G(k, t)
        factor = mp.mpf(K) / mp.binomial(k + d - 2, k) - mp.mpf(2 * k + d - 1) / (d - 1)
        low, high = G(k, t), G(k + 1, t)
        return factor * (1 - t) * (low + high) + (1 + t) * (low - high)

    return 1 - mp.findroot(excess, (start, start - mp.mpf(10) ** -12), verify=False)


def printed_by_mpmath(d: int, K: int) -> mpmath.mpf:
    """The printed upper side."""
    half = mp.mpf(d) / 2
    ratio = mp.exp(mp.loggamma(half + 0.5) - mp.loggamma(half))
    return 2 * (2 * mp.sqrt(mp.pi) / K * ratio) ** (mp.mpf(1) / (d - 1))


def factor_four_by_mpmath(d: int, K: int) -> mpmath.mpf:
    """The sharp upper side."""
    return printed_by_mpmath(d, K) ** 2 / 2


def in_space(d: int, K: int) -> bool:
    """Where Fejes Toth's bound applies."""
    return d == 3


def cheap(d: int, K: int) -> bool:
    """Where Levenshtein's polynomial is of a degree that is tried."""
    return K > 2 and degree(d, K) is not None


def always(d: int, K: int) -> bool:
    """Everywhere."""
    return True


BOUNDS: dict[str, tuple[Formula, Callable[[int, int], Any], Callable[[int, int], bool]]] = {
    "printed": (printed_upper, printed_by_mpmath, always),
    "factor 4": (sharp_upper, factor_four_by_mpmath, always),
    "caps, packing": (cap_upper, upper_by_mpmath, always),
    "caps, greedy code": (cap_lower, lower_by_mpmath, always),
    "Rankin, third moments": (moment_upper, moments_by_mpmath, always),
    "Fejes Toth": (triangle_upper, triangle_by_mpmath, in_space),
    "Levenshtein": (levenshtein_upper, levenshtein_by_mpmath, cheap),
}


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Median time of a piece of work, and its last result."""
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        result = work()
        taken.append(time.perf_counter() - started)
    return median(taken), result


def row(name: str) -> None:
    """One bound over all points where it applies."""
    bound, peer, applies = BOUNDS[name]
    own, others, failed, worst = [], [], 0, mp.mpf(0)
    for d, K in POINTS:
        if not applies(d, K):
            continue
        point = {p.name: Fraction({"d": d, "K": K}[p.name]) for p in bound.parameters}
        taken, found = timed(lambda point=point: certify(bound, point, DIGITS))
        assert found is not None and found.digits == DIGITS, (name, d, K)
        own.append(taken)
        try:
            started = time.perf_counter()
            with mp.workdps(DIGITS + 5):
                value = peer(d, K)
                others.append(time.perf_counter() - started)
                difference = abs(value / mp.mpf(found.value) - 1)
        except (ValueError, ZeroDivisionError, mpmath.libmp.NoConvergence):
            failed += 1
            continue
        if difference < mp.mpf(10) ** -6:
            worst = max(worst, difference)
        else:
            failed += 1
    scale = 1e3 / len(own)
    ratio = (sum(own) / len(own)) / (sum(others) / len(others))
    print(
        f"{name:<22} {len(own):>6}   {scale * sum(own):7.2f}   {1e3 * max(own):7.2f}   "
        f"{1e3 * sum(others) / len(others):9.2f}   {ratio:8.4f}   {failed:>7}   {mp.nstr(worst, 2)}"
    )


def certificates() -> None:
    """Linear programming: the search, and the check in fractions."""
    print("\nlinear programming      search s   check s   margin below     next best")
    for d, K in ((3, 24), (4, 10), (4, 24), (4, 120), (8, 240)):
        searched, found = time.perf_counter(), delsarte_bound(d, K)
        searched = time.perf_counter() - searched
        assert found is not None
        checked, holds = timed(found.holds)
        assert holds
        other = certify(levenshtein_upper, {"d": Fraction(d), "K": Fraction(K)}, 10)
        assert other is not None
        print(
            f"d = {d}, K = {K:<14} {searched:8.2f}   {checked:7.3f}   "
            f"{float(found.one_vs_rest):.10f}   {other.value}"
        )


if __name__ == "__main__":
    print(
        f"{DIGITS} digits               points   mean ms    max ms   mpmath ms   / mpmath"
        "    failed   difference"
    )
    for each in BOUNDS:
        row(each)
    certificates()
