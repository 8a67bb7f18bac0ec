"""The empirical Rademacher complexity, in each definition in use, of a finite class.

For the values of H functions at m points, (B, H, m), and the mean over all sign vectors:

- signed: E sup_h sum_i sigma_i h(x_i) / m, the definition of the theorem on uniform deviations;
- absolute: E sup_h |sum_i sigma_i h(x_i)| / m, that of the proofs of the paper;
- of Definition 1: twice the absolute one.
"""

from __future__ import annotations

from typing import Any

from ncbounds.theory.rademacher.binary_tree import sign_vectors
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)


def sign_sums(xp: Any, values: Any) -> Any:
    """The sums ``sum_i sigma_i h(x_i)`` for one sign vector of each pair: (B, S, H)."""
    signs = xp.asarray(sign_vectors(values.shape[2]))
    return xp.sum(signs[None, :, None, :] * values[:, None, :, :], axis=-1)


def signed_complexity(xp: Any, values: Any) -> Any:
    """Complexity without absolute value and without the factor 2: (B, H, m) to (B,)."""
    sums = sign_sums(xp, values)
    both = xp.max(sums, axis=-1) - xp.min(sums, axis=-1)
    return xp.mean(both, axis=-1) / 2 / values.shape[2]


def absolute_complexity(xp: Any, values: Any) -> Any:
    """Complexity with absolute value and without the factor 2: (B, H, m) to (B,)."""
    return xp.mean(xp.max(xp.abs(sign_sums(xp, values)), axis=-1), axis=-1) / values.shape[2]


def complexity_of_definition_1(xp: Any, values: Any) -> Any:
    """Complexity of Definition 1, with absolute value and factor 2: (B, H, m) to (B,)."""
    return 2 * absolute_complexity(xp, values)


def with_zero(xp: Any, values: Any) -> Any:
    """The class with the function that is zero."""
    rows = [values[:, h, :] for h in range(values.shape[1])]
    return xp.stack([*rows, 0 * rows[0]], axis=1)


def with_negatives(xp: Any, values: Any) -> Any:
    """The class with the negatives of its functions."""
    rows = [values[:, h, :] for h in range(values.shape[1])]
    return xp.stack([*rows, *(-row for row in rows)], axis=1)


def comparison_claim(xp: Any, *, values: Any) -> Judgement:
    """Which definition is at most which, and where they agree."""
    absolute = absolute_complexity(xp, values)
    symmetric = with_negatives(xp, values)
    return Judgement(
        (),
        (
            Comparison("signed", signed_complexity(xp, values), absolute),
            Comparison("absolute", absolute, 2 * signed_complexity(xp, with_zero(xp, values))),
            Comparison("with negatives", signed_complexity(xp, symmetric), absolute, "="),
            Comparison("Definition 1", complexity_of_definition_1(xp, values), 2 * absolute, "="),
        ),
    )


DEFINITION_1 = Statement(
    id="square:definition-1",
    kind="definition",
    title="Empirical Rademacher complexity",
    source=Source("square", "Definition 1"),
    topic="rademacher",
    variants=(
        Variant(
            "printed",
            "the definition",
            r"$\mathcal R_S(\mathcal H) = \frac2m E_\sigma \sup_{h \in \mathcal H} |\sum_{i=1}^m "
            r"\sigma_i h(x_i)|$, over independent uniform signs.",
            remark="With absolute value and factor 2. The theorem on uniform deviations that the "
            "proof of Theorem 3 cites has neither, the proof of Theorem 4 has only the absolute "
            "value.",
        ),
        Variant(
            "sharp",
            "the definitions compared",
            r"For a finite class, with $R^\pm = \frac1m E \sup |\sum_i \sigma_i h(x_i)|$ and $R = "
            r"\frac1m E \sup \sum_i \sigma_i h(x_i)$: $R(\mathcal H) \le R^\pm(\mathcal H) = "
            r"\frac12 \mathcal R_S(\mathcal H)$, $R^\pm(\mathcal H) \le 2 R(\mathcal H \cup "
            r"\{0\})$, and $R(\mathcal H \cup -\mathcal H) = R^\pm(\mathcal H)$.",
            Claim(comparison_claim, (Field("values", ("H", "m")),), {"H": (1, 4), "m": (1, 5)}),
            remark="Networks with a linear output have the negative of each: there R is half of "
            "Definition 1.",
        ),
    ),
)

STATEMENTS = (DEFINITION_1,)
