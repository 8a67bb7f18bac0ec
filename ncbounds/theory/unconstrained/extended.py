r"""The regularised square loss with more linear layers: (36) to (39), and any number of factors.

``W = A_L ... A_1`` acts on free features; M = L + 1 factors are penalised. By singular values of
the mean outputs all comes down to ``(1 - x)^2 + M kappa x^(2/M)`` with ``kappa^M = K^M n`` times
the product of the decays. For M > 2 zero is a local minimum always, and the global one leaves it
with a jump, to ``x = (M-2)/(M-1)``: for three factors where the decays' product is 1/(16 K^3 n).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import flint

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.formula import algorithm, formula, integer, positive
from ncbounds.theory.metrics import orthonormal_frame
from ncbounds.theory.terms import (
    Bound,
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)
from ncbounds.theory.unconstrained.square_layer import (
    fit,
    identity_matrix,
    labels,
    means,
    outputs,
    repeated,
    scaled,
    spread,
    square,
)

_K = integer("K", "number of classes", "K", at_least=2)
_N = integer("n", "samples a class", "n", at_least=1)
_WIDTH = integer("m", "least width of a layer", "m", at_least=1)
_FACTORS = integer("M", "number of factors, features included", "M", at_least=3)
_DECAY = positive("decay", "product of all weight decays", r"\Lambda")


@formula(_K, _N, _FACTORS)
def critical_decay(xp: Any, K: Any, n: Any, M: Any) -> Any:
    """Product of the weight decays from which zero is a global minimum."""
    kept = (M - 2) / (M - 1)
    return kept ** (M - 2) * (1 - kept) ** M / (K**M * n)


@algorithm(_FACTORS, positive("kappa_M", "K^M n times the product of the decays", r"\kappa^M"))
def kept_share(M: Fraction, kappa_M: Fraction) -> flint.arb:
    """What the minimiser keeps of each label: the largest x with x^(M-2) (1-x)^M = kappa^M, or 0.

    The left side falls from ``(M-2)/(M-1)`` on, where it is critical; there the answer is that x.
    """
    depth, low, high = int(M), 1 - 1 / (M - 1), Fraction(1)

    def above(x: Fraction) -> bool:
        return x ** (depth - 2) * (1 - x) ** depth >= kappa_M

    if not above(low):
        return flint.arb(0)
    for _ in range(flint.ctx.prec + 8):
        middle = (low + high) / 2
        low, high = (middle, high) if above(middle) else (low, middle)
    return balls.ball(low).union(balls.ball(high))


@algorithm(_K, _N, _WIDTH, _FACTORS, _DECAY)
def least_extended_risk(
    K: Fraction, n: Fraction, m: Fraction, M: Fraction, decay: Fraction
) -> flint.arb:
    """Least risk of M factors of widths m at least."""
    x = kept_share.body(M, K ** int(M) * n * decay)
    gain = x * ((balls.ball(M) - 1) * x - balls.ball(M) + 2)
    return (1 - balls.ball(min(m, K) / K) * gain) / 2


# -- (36) and (37) --------------------------------------------------------------------------------


def product(last: Any, layers: list[Any]) -> Any:
    """A_L ... A_1, the layers given from the first one on."""
    for layer in reversed(layers):
        last = last @ layer
    return last


def deep_risk(xp: Any, factors: list[Any], decays: list[Any], F: Any, lambda_F: Any) -> Any:
    """Fit and decays of layers A_1 ... A_L under features F (B, K, n, m)."""
    off = outputs(xp, product(factors[-1], factors[:-1]), F) - labels(xp, F)
    norms = sum(d / 2 * square(xp, A) for d, A in zip(decays, factors, strict=True))
    return fit(xp, off) + norms + lambda_F / 2 * square(xp, F)


def line_by_line(
    xp: Any, *, A2: Any, A1: Any, F: Any, lambda_2: Any, lambda_1: Any, lambda_F: Any
) -> Judgement:
    """(37): features replaced by their class means."""
    W, collapsed = A2 @ A1, repeated(xp, means(xp, F), F.shape[2])

    def of(features: Any) -> Any:
        return deep_risk(xp, [A1, A2], [lambda_1, lambda_2], features, lambda_F)

    K, n = F.shape[1:3]
    centre = means(xp, F)
    off = outputs(xp, W, centre[:, :, None, :]) - labels(xp, F)
    third = (
        square(xp, off) * n / (2 * K * n)
        + lambda_2 / 2 * square(xp, A2)
        + lambda_1 / 2 * square(xp, A1)
        + lambda_F / 2 * n * square(xp, centre)
    )
    rest = spread(xp, F)
    lost = fit(xp, outputs(xp, W, rest)) + lambda_F / 2 * square(xp, rest)
    return Judgement(
        (),
        (
            Comparison("third line", third, of(F)),
            Comparison("what is lost", of(F), third + lost, "="),
            Comparison("equality under NC1", of(collapsed), third, "="),
        ),
    )


def balanced(
    xp: Any, x: Any, left: Any, decays: list[Any], lambda_F: Any, sizes: tuple[int, int, int]
) -> tuple[list[Any], Any]:
    """Layers and features that keep ``x = 1 - left`` of min(m, K) labels, at one cost each."""
    K, n, m = sizes
    cost = x * left / K
    frame = identity_matrix(xp, x, K, m)
    inner = xp.matrix_transpose(frame) @ frame
    shapes = [*[inner] * (len(decays) - 1), frame]
    factors = [scaled(xp.sqrt(cost / d), E) for d, E in zip(decays, shapes, strict=True)]
    return factors, repeated(xp, scaled(xp.sqrt(cost / (n * lambda_F)), frame), n)


def many_factors(
    xp: Any, *, last: Any, hidden: Any, F: Any, decays: Any, share: Any, excess: Any
) -> Judgement:
    """The least risk of M factors, what outputs off it cost, and zero beyond the threshold.

    ``x = (M - 2 + share)/(M - 1)`` is what is kept; the decay of the features is chosen so.
    """
    K, n, m = F.shape[1:]
    M = hidden.shape[1] + 2
    factors = [*(hidden[:, i] for i in range(M - 2)), last]
    of_layers = [decays[:, i] for i in range(M - 1)]
    others = of_layers[0]
    for d in of_layers[1:]:
        others = others * d
    x = (M - 2 + share) / (M - 1)
    left = (1 - share) / (M - 1)
    critical = critical_decay(xp, K=0 * x + K, n=0 * x + n, M=0 * x + M)
    lambda_F = x ** (M - 2) * left**M / (K**M * n * others)
    beyond_F = critical * (1 + excess) / others
    centre = means(xp, F)
    W = product(last, factors[:-1])
    off = centre @ xp.matrix_transpose(W) - scaled(x, identity_matrix(xp, x, K))
    rest = spread(xp, F)
    lost = fit(xp, outputs(xp, W, rest)) + lambda_F / 2 * square(xp, rest)
    whole = deep_risk(xp, factors, of_layers, F, lambda_F)
    one_kept = left * (1 + (M - 1) * x)  # 1 - share x, without loss of digits
    least = (K - min(m, K) + min(m, K) * one_kept) / (2 * K)
    best = balanced(xp, x, left, of_layers, lambda_F, (K, n, m))
    growth = one_kept / 2 + share / x * square(xp, off) / (2 * K)
    return Judgement(
        (),
        (
            Comparison("growth", growth + lost, whole),
            Comparison("least", least, whole),
            Comparison(
                "attained", deep_risk(xp, best[0], of_layers, best[1], lambda_F), least, "="
            ),
            Comparison(
                "zero from the threshold on",
                1 / (2 * (0 * x + 1)),
                deep_risk(xp, factors, of_layers, F, beyond_F),
            ),
        ),
    )


_THREE = (Field("A2", ("C", "m")), Field("A1", ("m", "m")), Field("F", ("C", "n", "m")))
_LAMBDAS = tuple(Field(f"lambda_{name}", (), "positive") for name in ("2", "1", "F"))

EQ_36 = Statement(
    id="review:eq-36",
    kind="equation",
    title="Lower bound for the square loss with one more layer",
    source=Source("review", "(36), (37)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "line by line",
            r"$\frac1{2N}\|A_2A_1F - Y\|_F^2 + \frac{\lambda_{A_2}}2\|A_2\|_F^2 + "
            r"\frac{\lambda_{A_1}}2\|A_1\|_F^2 + \frac{\lambda_F}2\|F\|_F^2$ is at least its value "
            r"with features replaced by their class means, with equality where they are equal.",
            Claim(line_by_line, (*_THREE, *_LAMBDAS), {"C": (2, 3), "n": (1, 3), "m": (1, 3)}),
        ),
        Variant(
            "sharp",
            "the least value of M factors, and the jump to it",
            r"Let $M \ge 3$ factors, features included, have decays of product $\Lambda$, and let "
            r"$x \ge \frac{M-2}{M-1}$ solve $x^{M-2}(1-x)^M = K^Mn\Lambda$, $s = (M-1)x - (M-2)$. "
            r"Then the risk is at least $\frac12(1 - sx) + \frac s{2Kx}\|A_L\cdots A_1\bar F - "
            r"xI\|_F^2 + \frac{\lambda_F}2\sum\|f - \bar f\|^2$ and $\frac12(1 - \frac{\min(m,K)}K"
            r"sx)$, which is attained. Where $\Lambda \ge \frac1{K^Mn}(\frac{M-2}{M-1})^{M-2}"
            r"(M-1)^{-M}$ the least is $\frac12$, at zero.",
            Claim(
                many_factors,
                (
                    Field("last", ("C", "m")),
                    Field("hidden", ("L", "m", "m")),
                    Field("F", ("C", "n", "m")),
                    Field("decays", ("layers",), "positive"),
                    Field("share", (), "proportion"),
                    Field("excess", (), "nonnegative"),
                ),
                {"L": (1, 2), "C": (2, 3), "n": (1, 2), "m": (1, 3)},
                {"layers": lambda sizes: sizes["L"] + 1},
            ),
            (
                Bound("regularised risk", least_extended_risk, "lower"),
                Bound("critical product of decays", critical_decay, "value"),
            ),
            remark="For three factors the threshold is K^3 n lambda_2 lambda_1 lambda_F = 1/16: x "
            "falls from 1/2 to 0 there; for two factors (review:eq-29) it falls to 0 steadily. "
            "The growth is exact at the minimiser and at zero.",
        ),
    ),
)


# -- (38) -----------------------------------------------------------------------------------------


def sub_problems(
    xp: Any,
    *,
    A2: Any,
    A1: Any,
    F: Any,
    n: Any,
    lambda_2: Any,
    lambda_1: Any,
    lambda_F: Any,
    values: Any,
    left: Any,
    right: Any,
) -> Judgement:
    """Both sub-problems of (38): below the risk, and equal for some factors.

    `left` and `right` mirror two orthonormal frames U and V of r = min(K, m) vectors. The nuclear
    norm of any Z is the greatest inner product with a matrix U^T V; that of U^T diag(values) V,
    which the factors that attain it multiply to, is the sum of the values.
    """
    K, m = F.shape[1:]
    rank = min(K, m)
    eye = identity_matrix(xp, n, K)
    columns = xp.matrix_transpose
    of_F = n * lambda_F
    U, V = orthonormal_frame(xp, left, rank), orthonormal_frame(xp, right, rank)
    Q, Z = columns(U) @ V, columns(U) @ (values[:, :, None] * V)

    def along(matrix: Any) -> Any:
        return xp.sum(xp.sum(matrix * Q, axis=-1), axis=-1)

    def of(last: Any, first: Any, features: Any) -> Any:
        off = features @ columns(last @ first) - eye
        norms = lambda_2 / 2 * square(xp, last) + lambda_1 / 2 * square(xp, first)
        return square(xp, off) / (2 * K) + norms + of_F / 2 * square(xp, features)

    def first_problem(last: Any, product: Any, norm: Any) -> Any:
        fitted = square(xp, product @ columns(last) - eye) / (2 * K)
        return fitted + lambda_2 / 2 * square(xp, last) + xp.sqrt(of_F * lambda_1) * norm

    def second_problem(product: Any, features: Any, norm: Any) -> Any:
        fitted = square(xp, features @ columns(product) - eye) / (2 * K)
        return fitted + of_F / 2 * square(xp, features) + xp.sqrt(lambda_2 * lambda_1) * norm

    flat = identity_matrix(xp, n, rank, m)

    def halves(first: Any, second: Any) -> tuple[Any, Any]:
        """Rows ``s/root`` and ``s root``, s the roots of the values."""
        scale = xp.sqrt(xp.sqrt(first / second))
        roots = xp.sqrt(values)
        return (roots / scale[:, None])[:, :, None], (roots * scale[:, None])[:, :, None]

    of_A1, of_features = halves(lambda_1, of_F)
    first, features = columns(V * of_A1) @ flat, columns(U) @ (of_features * flat)
    second_A2, second_A1 = halves(lambda_2, lambda_1)
    last, inner = columns(U) @ (second_A2 * flat), columns(flat) @ (second_A1 * V)
    whole, of_rows = of(A2, A1, F), F @ columns(A1)
    norm = xp.sum(values, axis=-1)
    return Judgement(
        (),
        (
            Comparison("first sub-problem", first_problem(A2, of_rows, along(of_rows)), whole),
            Comparison("second sub-problem", second_problem(A2 @ A1, F, along(A2 @ A1)), whole),
            Comparison("first attained", of(A2, first, features), first_problem(A2, Z, norm), "="),
            Comparison("second attained", of(last, inner, F), second_problem(Z, F, norm), "="),
        ),
    )


EQ_38 = Statement(
    id="review:eq-38",
    kind="equation",
    title="The sub-problems of the model with one more layer",
    source=Source("review", "(38)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "every number of classes, any width",
            r"For collapsed features the risk of (36) is at least $\frac1{2K}\|A_2Z - I\|_F^2 + "
            r"\frac{\lambda_{A_2}}2\|A_2\|_F^2 + \sqrt{n\lambda_{A_1}\lambda_F}\|Z\|_*$ at $Z = "
            r"A_1\bar F$, and $\frac1{2K}\|Z\bar F - I\|_F^2 + \frac{n\lambda_F}2\|\bar F\|_F^2 + "
            r"\sqrt{\lambda_{A_2}\lambda_{A_1}}\|Z\|_*$ at $Z = A_2A_1$; and equal to each for "
            r"suitable factors of any $Z$. So all three have the same minimum. Here $\|Z\|_*$ is "
            r"the greatest $\langle Z, U^\top V\rangle$ over orthonormal frames $U$, $V$ of "
            r"$\min(K, m)$ vectors, and the sum of the $s_i$ for $Z = U^\top\mathrm{diag}(s)V$.",
            Claim(
                sub_problems,
                (
                    Field("A2", ("C", "m")),
                    Field("A1", ("m", "m")),
                    Field("F", ("C", "m")),
                    Field("n", (), "integer", least=1),
                    *_LAMBDAS,
                    Field("values", ("rank",), "positive"),
                    Field("left", ("rank", "C")),
                    Field("right", ("rank", "m")),
                ),
                {"C": (2, 3), "m": (1, 3)},
                {"rank": lambda sizes: min(sizes["C"], sizes["m"])},
            ),
            remark="A_1 is m x m, so no factorisation is out of reach. With a hidden width below "
            "m and K the sub-problems would need a bound on the rank of Z.",
        ),
    ),
)

STATEMENTS = (EQ_36, EQ_38)
