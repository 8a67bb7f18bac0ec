"""Steps of locally elastic features, and the stochastic equation that they lead to: (40) to (43).

At each step one sample (k', i') of K classes of n is drawn, and every feature of class k moves by
``eta E_kk' T_kk' f_k'i'`` and by noise. The claims go through all draws and all signs of the noise,
so that means and covariances are exact. Features are arrays (B, K, n, m), class means (B, K, m).
"""

from __future__ import annotations

from typing import Any

import numpy as np

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


def drift_matrix(xp: Any, E: Any, T: Any) -> Any:
    """B of (42), (B, K m, K m): the blocks ``E_kk' T_kk'/K``."""
    size, K, _, m, _ = T.shape
    blocks = E[..., None, None] * T / K
    rows = [xp.reshape(blocks[:, k, :, i, :], (size, K * m)) for k in range(K) for i in range(m)]
    return xp.stack(rows, axis=1)


def increments(xp: Any, E: Any, T: Any, f: Any) -> Any:
    """What each draw (k', i') adds to a feature of class k, over eta: (B, K, K n, m)."""
    size, K, n, m = f.shape
    each = E[..., None, None] * apply(xp, T[:, :, :, None], f[:, None])
    return xp.reshape(each, (size, K, K * n, m))


def paths(xp: Any, B: Any, start: Any, eta: Any, phi: Any, own: bool = False) -> Any:
    """Representative features after as many steps as phi (B, L, K m) has: (B, 2^L, K m).

    One path for each choice of the signs of the noise phi. The drift is that of the class means,
    as in (42), or that of the path's `own` features.
    """
    features, means, rate = start[:, None], start[:, None], eta[:, None, None]
    transposed = xp.matrix_transpose(B)
    for s in range(phi.shape[1]):
        noise = (xp.sqrt(eta)[:, None] * phi[:, s])[:, None]
        moved = features + rate * xp.matmul(features if own else means, transposed)
        both = xp.stack([moved + noise, moved - noise], axis=2)
        features = xp.reshape(both, (start.shape[0], -1, start.shape[1]))
        means = means + rate * xp.matmul(means, transposed)
    return features


def euler(xp: Any, B: Any, start: Any, eta: Any, steps: int) -> Any:
    """Class means (B, K m) after that many Euler steps of the LE-ODE (43)."""
    for _ in range(steps):
        start = start + eta[:, None] * apply(xp, B, start)
    return start


def reach(xp: Any, f: Any, B: Any, phi: Any, eta: Any) -> Any:
    """A bound on the entries of all paths, (B, K m): absolute values throughout."""
    noise = (1 + eta)[:, None] * xp.sum(xp.abs(phi), axis=1)
    start = flat(xp, xp.mean(xp.abs(f), axis=2)) + noise
    return euler(xp, xp.abs(B), start, eta, phi.shape[1])


def flat(xp: Any, values: Any) -> Any:
    """Class by class, (..., K, m), as one vector (..., K m)."""
    return xp.reshape(values, (*values.shape[:-2], values.shape[-2] * values.shape[-1]))


def covariance(xp: Any, ends: Any) -> Any:
    """Covariance over axis 1 of (B, P, d): (B, d, d)."""
    centred = ends - xp.mean(ends, axis=1, keepdims=True)
    return xp.mean(outer(centred, centred), axis=1)


_FIELDS = (
    Field("f", ("C", "n", "m")),
    Field("E", ("C", "C")),
    Field("T", ("C", "C", "m", "m")),
    Field("phi", ("L", "C", "m")),
    Field("eta", (), "positive"),
)
_SIZES = {"C": (2, 3), "n": (1, 3), "m": (1, 2), "L": (1, 3)}


def means_claim(xp: Any, *, f: Any, E: Any, T: Any, phi: Any, eta: Any) -> Judgement:
    """The mean of (41) over all draws is (42)'s drift, and means of (42) follow Euler's (43)."""
    start, B, noises = flat(xp, xp.mean(f, axis=2)), drift_matrix(xp, E, T), flat(xp, phi)
    drawn = eta[:, None, None, None] * increments(xp, E, T, f)
    noise = xp.sqrt(eta)[:, None, None, None] * phi[:, 0, :, None]
    stepped = (xp.mean(drawn + noise, axis=2) + xp.mean(drawn - noise, axis=2)) / 2
    ends = paths(xp, B, start, eta, noises)
    terms = reach(xp, f, B, noises, eta)
    step = eta[:, None] * apply(xp, B, start)
    expected = euler(xp, B, start, eta, phi.shape[1])
    return Judgement(
        (),
        (
            equation(xp, "mean of a step", flat(xp, stepped), step, terms),
            equation(xp, "mean of the paths", xp.mean(ends, axis=1), expected, terms),
        ),
    )


def feature_covariance_claim(xp: Any, *, f: Any, E: Any, T: Any, phi: Any, eta: Any) -> Judgement:
    """The covariance of the features is the Sigma of the last step."""
    start, B, noises = flat(xp, xp.mean(f, axis=2)), drift_matrix(xp, E, T), flat(xp, phi)
    found = covariance(xp, paths(xp, B, start, eta, noises))
    said = outer(noises[:, -1], noises[:, -1])
    return Judgement((), (Comparison("covariance of the features", found, said, "="),))


def noise_covariance_claim(xp: Any, *, f: Any, E: Any, T: Any, phi: Any, eta: Any) -> Judgement:
    """Covariances: of a step, of paths driven by the means, of paths driven by themselves."""
    start, B, noises = flat(xp, xp.mean(f, axis=2)), drift_matrix(xp, E, T), flat(xp, phi)
    rate, each = eta[:, None, None], increments(xp, E, T, f)
    pulled = xp.mean(each, axis=2)
    drawn = rate[..., None] * (each - pulled[:, :, None])
    noise = xp.sqrt(eta)[:, None, None, None] * phi[:, 0, :, None]
    away = xp.stack([drawn + noise, drawn - noise], axis=2)
    of_step = xp.mean(xp.mean(outer(away, away), axis=3), axis=2)
    draws = xp.mean(outer(each, each), axis=2) - outer(pulled, pulled)
    said = rate[..., None] * (outer(phi[:, 0], phi[:, 0]) + rate[..., None] * draws)
    added = rate * xp.sum(outer(noises, noises), axis=1)
    one_step = rate * B + xp.asarray(np.eye(B.shape[-1]))
    carried = 0 * B
    for s in range(phi.shape[1]):
        carried = xp.matmul(xp.matmul(one_step, carried), xp.matrix_transpose(one_step))
        carried = carried + rate * outer(noises[:, s], noises[:, s])
    terms = reach(xp, f, B, noises, eta)
    by_means = covariance(xp, paths(xp, B, start, eta, noises))
    by_itself = covariance(xp, paths(xp, B, start, eta, noises, own=True))
    return Judgement(
        (),
        (
            equation(xp, "covariance of a step", of_step, said, terms * terms),
            equation(xp, "covariance, driven by means", by_means, added, terms * terms),
            equation(xp, "covariance, driven by itself", by_itself, carried, terms * terms),
        ),
    )


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
