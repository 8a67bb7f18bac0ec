r"""How far one feature can be from its class mean, where the class varies little on average.

The worked template of docs/adding-a-statement.md. It would stand in ncbounds/theory/one_sample.py,
and it is no claim of a paper: `printed` is what a reader may take a small variability to mean.

The features of one class are ``features`` (B, N, d), a batch of instances first.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import formula, integer, nonnegative
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

N = integer("N", "number of samples of the class", "N", 2)
EPSILON = nonnegative("epsilon", "mean squared distance from the class mean", r"\epsilon")


@formula(N, EPSILON)
def largest_square(xp: Any, N: Any, epsilon: Any) -> Any:
    """Largest squared distance of one feature from the class mean."""
    return (N - 1) * epsilon


def squared_distances(xp: Any, features: Any) -> Any:
    """Squared distance of every feature from the mean of its class: (B, N, d) to (B, N)."""
    from_mean = features - xp.mean(features, axis=1)[:, None, :]
    return xp.sum(from_mean * from_mean, axis=-1)


def within(xp: Any, features: Any, epsilon: Any, largest: Any) -> Judgement:
    """Hypothesis and conclusion of every wording; only the largest square differs."""
    squares = squared_distances(xp, features)
    return Judgement(
        (Comparison("small variability", xp.mean(squares, axis=-1), epsilon),),
        (Comparison("every feature", squares, 0 * squares + largest[:, None]),),
    )


def as_hoped(xp: Any, *, features: Any, epsilon: Any) -> Judgement:
    """No feature is farther from the mean than the features are on average."""
    return within(xp, features, epsilon, epsilon)


def as_true(xp: Any, *, features: Any, epsilon: Any) -> Judgement:
    """The others have to balance the one that is far, and vary at least by that."""
    return within(xp, features, epsilon, largest_square(xp, N=features.shape[1], epsilon=epsilon))


_FIELDS = (
    Field("features", ("N", "d")),
    Field("epsilon", (), "budget", "small variability"),
)
_SIZES = {"N": (2, 6), "d": (1, 3)}

ONE_SAMPLE = Statement(
    id="review:remark-one-sample",
    kind="remark",
    title="From the variability of a class to each of its samples",
    source=Source("review", "a template, not in the paper; variability as in (4)"),
    topic="one_sample",
    variants=(
        Variant(
            "printed",
            "as one might hope",
            r"If $\frac1N\sum_i|h_i - \bar h|^2 \le \epsilon$ then $|h_i - \bar h|^2 \le \epsilon$ "
            r"for every $i$.",
            Claim(as_hoped, _FIELDS, _SIZES),
            defect="A mean bounds some of its terms, not all: one feature may be far.",
        ),
        Variant(
            "corrected",
            "with the number of samples",
            r"If $\frac1N\sum_i|h_i - \bar h|^2 \le \epsilon$ then "
            r"$|h_i - \bar h|^2 \le (N-1)\,\epsilon$ for every $i$.",
            Claim(as_true, _FIELDS, _SIZES),
            bounds=(
                Bound(
                    "squared distance of a feature from its class mean",
                    largest_square,
                    "upper",
                ),
            ),
            remark="Attained: all features but one are equal (Samuelson's inequality for d = 1).",
        ),
    ),
)

STATEMENTS = (ONE_SAMPLE,)
