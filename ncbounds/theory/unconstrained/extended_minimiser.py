r"""What global minimisers of the model with one more layer look like: (39).

Below the threshold ``K^3 n lambda_2 lambda_1 lambda_F = 1/16`` and for m >= K they are frames, as
printed. With fewer features they are not; at the threshold minimisers may keep any classes.
"""

from __future__ import annotations

from typing import Any

from ncbounds.theory.metrics import orthonormal_frame
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)
from ncbounds.theory.unconstrained.extended import balanced, deep_risk
from ncbounds.theory.unconstrained.square_layer import (
    equal_arrays,
    gram,
    identity_matrix,
    labels,
    means,
    outputs,
    repeated,
    scaled,
    spread,
    square,
)


def multiple_of_identity(xp: Any, name: str, matrix: Any, raised: bool) -> Comparison:
    """That a K x K matrix is a multiple of the identity, that of its trace."""
    K = matrix.shape[1]
    eye = identity_matrix(xp, matrix[:, 0, 0], K)
    trace = xp.sum(xp.sum(matrix * eye, axis=-1), axis=-1)
    multiple = scaled(trace / K, eye)
    if raised:
        return equal_arrays(xp, name, matrix, multiple)
    return Comparison(name, matrix, multiple, "=")


def structure(xp: Any, A1: Any, A2: Any, F: Any, raised: bool = True) -> tuple[Comparison, ...]:
    """The three proportions of (39)."""
    centre, W = means(xp, F), A2 @ A1
    return (
        multiple_of_identity(xp, "outputs", centre @ xp.matrix_transpose(W), raised),
        multiple_of_identity(xp, "features", gram(xp, centre), raised),
        multiple_of_identity(xp, "weights", gram(xp, W), raised),
    )


def share_of(xp: Any, share: Any, lambda_2: Any, lambda_1: Any, K: int, n: int) -> Any:
    """x = (1 + share)/2, 1 - x, and the decay of the features that makes x the kept share."""
    x, left = (1 + share) / 2, (1 - share) / 2
    return x, left, x * left**3 / (K**3 * n * lambda_2 * lambda_1)


def every_width(xp: Any, *, lambda_2: Any, lambda_1: Any, share: Any, frame: Any) -> Judgement:
    """A minimiser for sizes K, n, m of `frame` (B, K, n, m), and (39) of it."""
    K, n, m = frame.shape[1:]
    x, left, lambda_F = share_of(xp, share, lambda_2, lambda_1, K, n)
    decays = [lambda_1, lambda_2]
    factors, F = balanced(xp, x, left, decays, lambda_F, (K, n, m))
    kept = min(m, K)
    least = (K - kept + kept * left * (1 + 2 * x)) / (2 * K)
    value = deep_risk(xp, factors, decays, F, lambda_F)
    return Judgement(
        (),
        (
            Comparison("a minimiser", value, least, "="),
            *structure(xp, factors[0], factors[1], F, raised=False),
        ),
    )


def at_the_threshold(xp: Any, *, lambda_2: Any, lambda_1: Any, kept: Any, frame: Any) -> Judgement:
    """Minimisers that keep the classes of a mask, where zero is as good; sizes as of `frame`."""
    K, n = frame.shape[1:3]
    half = 1 / (2 * (0 * lambda_2 + 1))
    lambda_F = 1 / (16 * K**3 * n * lambda_2 * lambda_1)
    cost = half * half / K
    diagonal = kept[:, :, None] * identity_matrix(xp, half, K)
    A1, A2, rows = (scaled(xp.sqrt(cost / d), diagonal) for d in (lambda_1, lambda_2, n * lambda_F))
    F = repeated(xp, rows, n)
    value = deep_risk(xp, [A1, A2], [lambda_1, lambda_2], F, lambda_F)
    return Judgement(
        (), (Comparison("a minimiser", value, half, "="), *structure(xp, A1, A2, F, raised=False))
    )


def below_the_threshold(
    xp: Any,
    *,
    A2: Any,
    A1: Any,
    F: Any,
    lambda_2: Any,
    lambda_1: Any,
    share: Any,
    mirrors: Any,
    epsilon: Any,
) -> Judgement:
    """Near-minimisers, balance of the factors, and minimisers in every position."""
    K, n = F.shape[1:3]
    x, left, lambda_F = share_of(xp, share, lambda_2, lambda_1, K, n)
    decays = [lambda_1, lambda_2]
    least = left * (1 + 2 * x) / 2
    turned = xp.matrix_transpose
    centre = means(xp, F)
    W = A2 @ A1
    mean_outputs = centre @ turned(W)
    off = mean_outputs - scaled(x, identity_matrix(xp, x, K))

    # gradients, from the residuals summed with features or weights
    residual = (outputs(xp, W, F) - labels(xp, F)) / (K * n)
    pulled = xp.sum(turned(residual) @ F, axis=1)
    of_A2 = pulled @ turned(A1) + scaled(lambda_2, A2)
    of_A1 = turned(A2) @ pulled + scaled(lambda_1, A1)
    of_F = residual @ W[:, None] + scaled(lambda_F, F)
    with_F = xp.sum(turned(of_F) @ F, axis=1)
    second_moment = xp.sum(turned(F) @ F, axis=1)

    # (F^T F)^3, up to what factors are out of balance
    moment = scaled(n * lambda_F, turned(centre) @ centre)
    upper = scaled(lambda_2, turned(A2) @ A2) - scaled(lambda_1, A1 @ turned(A1))
    lower = scaled(lambda_1, turned(A1) @ A1) - moment
    rest = (
        scaled(lambda_1, turned(A1) @ upper @ A1) + lower @ lower + lower @ moment + moment @ lower
    )
    products = gram(xp, centre)
    weight = n * lambda_F
    cube = scaled(weight * weight, products @ products @ products)
    norm = square(xp, F)
    room = lambda_2 * lambda_1 * square(xp, A2) * square(xp, A1) * norm + weight**2 * norm**3

    cost = x * left / K
    P, Q = (orthonormal_frame(xp, mirrors[:, i : i + 1], K) for i in (0, 1))  # reflections
    best_F = repeated(xp, scaled(xp.sqrt(cost / (n * lambda_F)), P), n)
    best = [scaled(xp.sqrt(cost / lambda_1), Q @ P), scaled(xp.sqrt(cost / lambda_2), Q)]
    return Judgement(
        (
            Comparison(
                "near the least",
                deep_risk(xp, [A1, A2], decays, F, lambda_F),
                least + epsilon,
            ),
        ),
        (
            Comparison("mean outputs", share * square(xp, off), 2 * K * x * epsilon),
            Comparison("within classes", square(xp, spread(xp, F)), 2 * epsilon / lambda_F),
            equal_arrays(
                xp,
                "balance of the layers",
                scaled(lambda_2, turned(A2) @ A2) + of_A1 @ turned(A1),
                scaled(lambda_1, A1 @ turned(A1)) + turned(A2) @ of_A2,
            ),
            equal_arrays(
                xp,
                "balance with the features",
                scaled(lambda_1, turned(A1) @ A1) + with_F,
                scaled(lambda_F, second_moment) + turned(A1) @ of_A1,
            ),
            equal_arrays(
                xp,
                "cube",
                scaled(lambda_2 * lambda_1, mean_outputs @ turned(mean_outputs)),
                cube + centre @ rest @ turned(centre),
                room,
            ),
            Comparison("attained", deep_risk(xp, best, decays, best_F, lambda_F), least, "="),
            *structure(xp, best[0], best[1], best_F),
        ),
    )


_LAMBDAS = (Field("lambda_2", (), "positive"), Field("lambda_1", (), "positive"))
_SHARE = Field("share", (), "proportion")

EQ_39 = Statement(
    id="review:eq-39",
    kind="equation",
    title="Global minimisers of the model with one more layer",
    source=Source("review", "(39)"),
    topic="unconstrained",
    variants=(
        Variant(
            "printed",
            "every width",
            r"A global minimiser has $(A_2A_1)\bar F \propto \bar F^\top\bar F \propto "
            r"(A_2A_1)(A_2A_1)^\top \propto I_K$.",
            Claim(
                every_width,
                (*_LAMBDAS, _SHARE, Field("frame", ("C", "n", "m"))),
                {
                    "C": (2, 4),
                    "n": (1, 3),
                    "m": (1, 4),
                },
            ),
            defect="For m < K all of them have rank at most m: the minimiser given here keeps m "
            "classes at right angles and gives up the others.",
            remark="The share is 2x - 1, x the part of a label that is kept; the decay of the "
            "features follows from it and from those of the layers.",
        ),
        Variant(
            "printed",
            "m = K, every weight decay",
            r"A global minimiser has $(A_2A_1)\bar F \propto \bar F^\top\bar F \propto "
            r"(A_2A_1)(A_2A_1)^\top \propto I_K$.",
            Claim(
                at_the_threshold,
                (*_LAMBDAS, Field("kept", ("C",), "mask"), Field("frame", ("C", "n", "C"))),
                {"C": (2, 4), "n": (1, 3)},
            ),
            defect="At K^3 n lambda_2 lambda_1 lambda_F = 1/16 zero and the collapsed solution "
            "are equally good, for each class by itself: a minimiser may keep some classes and "
            "give up the others. Beyond, all is zero, which is a multiple of the identity in name "
            "only.",
        ),
        Variant(
            "corrected",
            "m at least K, below the threshold",
            r"Let $16K^3n\lambda_{A_2}\lambda_{A_1}\lambda_F < 1$, $x > \frac12$ with $x(1-x)^3 = "
            r"K^3n\lambda_{A_2}\lambda_{A_1}\lambda_F$. A risk of at most $\frac12(1-x)(1+2x) + "
            r"\varepsilon$ has $(2x-1)\|A_2A_1\bar F - xI\|_F^2 \le 2Kx\varepsilon$ and $\sum\|f - "
            r"\bar f\|^2 \le 2\varepsilon/\lambda_F$. At rest $\lambda_2A_2^\top A_2 = "
            r"\lambda_1A_1A_1^\top$ and $\lambda_1A_1^\top A_1 = \lambda_FFF^\top$, so that "
            r"$(n\lambda_F)^2(\bar F^\top\bar F)^3 = \lambda_2\lambda_1(A_2A_1\bar F)^\top "
            r"A_2A_1\bar F$: a minimiser has all the proportions of (39). Rotations of one attain "
            r"it.",
            Claim(
                below_the_threshold,
                (
                    Field("A2", ("C", "m")),
                    Field("A1", ("m", "m")),
                    Field("F", ("C", "n", "m")),
                    *_LAMBDAS,
                    _SHARE,
                    Field("mirrors", ("two", "C")),
                    Field("epsilon", (), "budget", "near the least"),
                ),
                {"C": (2, 3), "n": (1, 2), "m": (1, 3)},
                {"two": lambda sizes: 2},
            ),
            remark="A semidefinite matrix has one semidefinite cube root, so the last equation "
            "makes class means an orthogonal frame. In the same way lambda_2^2 (A_2 A_2^T)^3 = n "
            "lambda_F lambda_1 A_2 A_1 Fbar (A_2 A_1 Fbar)^T makes A_2 A_2^T a multiple of I, and "
            "with it lambda_1 A_2 A_1 (A_2 A_1)^T = lambda_2 (A_2 A_2^T)^2. Off a point at rest "
            "the claim carries the gradients and what factors are out of balance.",
        ),
    ),
)

STATEMENTS = (EQ_39,)
