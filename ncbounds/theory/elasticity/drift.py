"""Steps of locally elastic features, and the stochastic equation that they lead to: (40) to (43).

At each step one sample (k', i') of K classes of n is drawn, and every feature of class k moves by
``eta E_kk' T_kk' f_k'i'`` and by noise. The claims go through all draws and all signs of the noise,
so that means and covariances are exact. Features are arrays (B, K, n, m), class means (B, K, m).
"""

from __future__ import annotations

from itertools import product
from typing import Any

from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)


def equation(xp: Any, name: str, left: Any, right: Any, *terms: Any) -> Comparison:
    """An equation, seen against the size of the terms that its sides add up.

    Sides that cancel would be compared with their own rounding: the sum of the absolute values of
    all entries of the terms of an instance is added to both.
    """
    size: Any = sum(
        xp.sum(xp.abs(term), axis=tuple(range(1, term.ndim))) if term.ndim > 1 else xp.abs(term)
        for term in terms
    )
    shaped = xp.reshape(size, (size.shape[0],) + (1,) * (left.ndim - 1))
    return Comparison(name, left + shaped, right + shaped, "=")


def apply(xp: Any, matrix: Any, vector: Any) -> Any:
    """Matrices (..., p, q) times vectors (..., q): (..., p)."""
    return xp.sum(matrix * vector[..., None, :], axis=-1)


def outer(left: Any, right: Any) -> Any:
    """Outer product over the last axis."""
    return left[..., :, None] * right[..., None, :]


def drift(xp: Any, E: Any, T: Any, means: Any) -> Any:
    """B times the class means, (B, K, m): the blocks of B are ``E_kk' T_kk'/K``."""
    K = E.shape[1]
    return xp.sum(E[..., None] * apply(xp, T, means[:, None]), axis=2) / K


def increments(xp: Any, E: Any, T: Any, f: Any) -> Any:
    """What each draw (k', i') adds to a feature of class k, over eta: (B, K, K n, m)."""
    size, K, n, m = f.shape
    each = E[..., None, None] * apply(xp, T[:, :, :, None], f[:, None])
    return xp.reshape(each, (size, K, K * n, m))


def paths(xp: Any, E: Any, T: Any, start: Any, eta: Any, phi: Any, own: bool = False) -> Any:
    """Representative features after as many steps as phi (B, L, K, m) has: (B, 2^L, K m).

    One path for each choice of the signs of the noise phi. The drift is that of the class means,
    as in (42), or that of the path's `own` features.
    """
    size, L, K, m = phi.shape
    ends = []
    for signs in product((1, -1), repeat=L):
        features, means = start, start
        for s, sign in enumerate(signs):
            pulled = drift(xp, E, T, features if own else means)
            noise = sign * xp.sqrt(eta)[:, None, None] * phi[:, s]
            features = features + eta[:, None, None] * pulled + noise
            means = means + eta[:, None, None] * drift(xp, E, T, means)
        ends.append(xp.reshape(features, (size, K * m)))
    return xp.stack(ends, axis=1)


def euler(xp: Any, E: Any, T: Any, start: Any, eta: Any, steps: int) -> Any:
    """Class means (B, K, m) after that many Euler steps of the LE-ODE (43)."""
    for _ in range(steps):
        start = start + eta[:, None, None] * drift(xp, E, T, start)
    return start


def reach(xp: Any, f: Any, E: Any, T: Any, phi: Any, eta: Any) -> Any:
    """A bound on the entries of all paths, (B, K, m): absolute values throughout."""
    noise = (1 + eta)[:, None, None] * xp.sum(xp.abs(phi), axis=1)
    start = xp.mean(xp.abs(f), axis=2) + noise
    return euler(xp, xp.abs(E), xp.abs(T), start, eta, phi.shape[1])


def covariance(xp: Any, ends: Any) -> Any:
    """Covariance over axis 1 of (B, P, d): (B, d, d)."""
    centred = ends - xp.mean(ends, axis=1, keepdims=True)
    return xp.mean(outer(centred, centred), axis=1)


_FIELDS = (
    Field("f", ("K", "n", "m")),
    Field("E", ("K", "K")),
    Field("T", ("K", "K", "m", "m")),
    Field("phi", ("L", "K", "m")),
    Field("eta", (), "positive"),
)
_SIZES = {"K": (2, 3), "n": (1, 3), "m": (1, 2), "L": (1, 3)}


def means_claim(xp: Any, *, f: Any, E: Any, T: Any, phi: Any, eta: Any) -> Judgement:
    """The mean of (41) over all draws is (42)'s drift, and means of (42) follow Euler's (43)."""
    means = xp.mean(f, axis=2)
    drawn = eta[:, None, None, None] * increments(xp, E, T, f)
    noise = xp.sqrt(eta)[:, None, None] * phi[:, 0]
    more, less = drawn + noise[:, :, None], drawn - noise[:, :, None]
    stepped = (xp.mean(more, axis=2) + xp.mean(less, axis=2)) / 2
    size, K, _, m = f.shape
    ends = paths(xp, E, T, means, eta, phi)
    expected = xp.reshape(euler(xp, E, T, means, eta, phi.shape[1]), (size, K * m))
    terms = reach(xp, f, E, T, phi, eta)
    return Judgement(
        (),
        (
            equation(
                xp,
                "mean of a step",
                stepped,
                eta[:, None, None] * drift(xp, E, T, means),
                terms,
            ),
            equation(xp, "mean of the paths", xp.mean(ends, axis=1), expected, terms),
        ),
    )


def feature_covariance_claim(xp: Any, *, f: Any, E: Any, T: Any, phi: Any, eta: Any) -> Judgement:
    """The covariance of the features is the Sigma of the last step."""
    size, L, K, m = phi.shape
    ends = paths(xp, E, T, xp.mean(f, axis=2), eta, phi)
    last = xp.reshape(phi[:, L - 1], (size, K * m))
    terms = reach(xp, f, E, T, phi, eta)
    return Judgement(
        (),
        (
            equation(
                xp,
                "covariance of the features",
                covariance(xp, ends),
                outer(last, last),
                terms * terms,
            ),
        ),
    )


def noise_covariance_claim(xp: Any, *, f: Any, E: Any, T: Any, phi: Any, eta: Any) -> Judgement:
    """Covariances: of a step, of paths driven by the means, of paths driven by themselves."""
    size, L, K, m = phi.shape
    means, rows = xp.mean(f, axis=2), xp.reshape(phi, (size, L, K * m))
    each = increments(xp, E, T, f)
    pulled = drift(xp, E, T, means)
    drawn, noise = eta[:, None, None, None] * each, xp.sqrt(eta)[:, None, None] * phi[:, 0]
    both = xp.stack([drawn + noise[:, :, None], drawn - noise[:, :, None]], axis=2)
    away = both - eta[:, None, None, None, None] * pulled[:, :, None, None]
    of_step = xp.mean(xp.mean(outer(away, away), axis=3), axis=2)
    draws = xp.mean(outer(each, each), axis=2) - outer(pulled, pulled)
    first = eta[:, None, None, None] * outer(phi[:, 0], phi[:, 0])
    said = first + (eta * eta)[:, None, None, None] * draws
    driven = paths(xp, E, T, means, eta, phi)
    added = eta[:, None, None] * xp.sum(outer(rows, rows), axis=1)
    alone = paths(xp, E, T, means, eta, phi, own=True)
    carried = 0 * added
    for s in range(L):
        carried = carry(xp, E, T, eta, carried)
        carried = carry(xp, E, T, eta, xp.matrix_transpose(carried))
        carried = carried + eta[:, None, None] * outer(rows[:, s], rows[:, s])
    terms = reach(xp, f, E, T, phi, eta)
    square = terms * terms
    found, itself = covariance(xp, driven), covariance(xp, alone)
    return Judgement(
        (),
        (
            equation(xp, "covariance of a step", of_step, said, square),
            equation(xp, "covariance, driven by means", found, added, square),
            equation(xp, "covariance, driven by itself", itself, carried, square),
        ),
    )


def carry(xp: Any, E: Any, T: Any, eta: Any, matrix: Any) -> Any:
    """``(I + eta B)`` times a matrix (B, K m, K m)."""
    size, K, m = E.shape[0], E.shape[1], T.shape[-1]
    columns = [xp.reshape(matrix[:, :, j], (size, K, m)) for j in range(K * m)]
    moved = [c + eta[:, None, None] * drift(xp, E, T, c) for c in columns]
    return xp.stack([xp.reshape(c, (size, K * m)) for c in moved], axis=-1)


_STEP = (
    r"$f_{k,i}^s - f_{k,i}^{s-1} = \eta E_{kk'}T_{kk'}f_{k',i'}^{s-1} + \sqrt\eta\phi$ for a "
    r"uniform draw of $(k', i')$ and centred noise $\phi$"
)

EQ_40 = Statement(
    id="review:eq-40",
    kind="equation",
    title="Locally elastic steps, LE-SDE and LE-ODE",
    source=Source("review", "(40) to (43), Sec. 3.2.2"),
    topic="elasticity",
    variants=(
        Variant(
            "printed",
            "means",
            rf"Let {_STEP}. The mean of a step over all draws is $\eta B\bar F$, where $\bar F$ "
            r"has the class means and $B$ the blocks $E_{kk'}T_{kk'}/K$; and the mean of "
            r"$\tilde F^{s} = \tilde F^{s-1} + \eta B\bar F^{s-1} + \sqrt\eta\phi$ over the noise "
            r"is that of Euler's method for $\frac{d}{dt}\bar F = B\bar F$.",
            Claim(means_claim, _FIELDS, _SIZES),
            remark="Exact for every step size and any number of samples, so it passes to the "
            "limit; (40) is the case of blocks E^s without eta. The sizes R^(K^m) are R^(Km): a "
            "slip of typesetting. Noise of two signs stands for centred noise.",
        ),
        Variant(
            "printed",
            "Sigma is the covariance of the features, as typeset",
            r"In $d\tilde F = B\bar Fdt + \Sigma^{1/2}dW$ the covariance of the representative "
            r"features is $\Sigma$.",
            Claim(feature_covariance_claim, _FIELDS, _SIZES),
            defect="Sigma is the covariance of the noise that is added per time; that of the "
            "features is its integral. Noise phi at each of two steps of size 1 gives 2 phi^2.",
        ),
        Variant(
            "corrected",
            "Sigma is the covariance of the noise per time",
            rf"Let {_STEP} of covariance $\Sigma$. A step has the covariance $\eta\Sigma + \eta^2"
            r"\mathrm{Cov}(E_{kk'}T_{kk'}f_{k',i'})$. The features of (42) have the covariance "
            r"$\sum_s\eta\Sigma^s$, in the limit $\int_0^t\Sigma$, whatever $B$ is. If their own "
            r"features drive them, $B\tilde F$ for $B\bar F$, the mean is the same and the "
            r"covariance follows $C \leftarrow (I + \eta B)C(I + \eta B)^\top + \eta\Sigma$.",
            Claim(noise_covariance_claim, _FIELDS, _SIZES),
            remark="The draws themselves add noise of order eta only: it vanishes in the limit "
            "and is not in (42). NC1 hangs on which drift is meant: driven by the class means, "
            "the spread within classes grows like t while the means grow exponentially, and NC1 "
            "tends to zero; driven by their own features, the spread grows like the means, and "
            "NC1 does not.",
        ),
    ),
)

STATEMENTS = (EQ_40,)
