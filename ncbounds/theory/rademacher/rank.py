"""Rank and complexity: what a low rank of a layer's matrix does to the bounds.

The class here is one linear layer below a linear readout, x -> <u, V x> with |u| <= 1, on samples
in R^n, with the complexity without the factor 2.
"""

from __future__ import annotations

from typing import Any

from ncbounds.arithmetic.formula import Condition, formula, integer, nonnegative
from ncbounds.theory.rademacher.binary_tree import sign_vectors
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

_R = integer("r", "rank of the layer's matrix", "r", at_least=1)
_N = integer("n", "number of its rows and columns", "n", at_least=1)
_SPECTRAL = nonnegative("spectral", "its spectral norm", r"\|V\|_2")
_RANK = (Condition("r <= n", lambda xp, r, n, **_: n - r, strict=False),)


@formula(_R, _N, conditions=_RANK)
def printed_rank_factor(xp: Any, r: Any, n: Any) -> Any:
    """Printed contribution of a matrix of rank r to the complexity."""
    return xp.sqrt(r / n)


@formula(_R, _SPECTRAL)
def frobenius_bound(xp: Any, r: Any, spectral: Any) -> Any:
    """Bound on the Frobenius norm of a matrix of rank r by its spectral norm."""
    return xp.sqrt(r) * spectral


def printed_rank_claim(xp: Any, *, samples: Any, left: Any, right: Any, readout: Any) -> Judgement:
    """Matrices of rank r and Frobenius norm 1 attain at most sqrt(r/n) times the full bound.

    `samples` (B, m, n); the matrix of each sign vector is the product of `left` (B, S, n, r) and
    `right` (B, S, r, n), normalised; `readout` (B, S, n).
    """
    m, n, r = samples.shape[1], samples.shape[2], left.shape[3]
    matrix = xp.sum(left[:, :, :, :, None] * right[:, :, None, :, :], axis=3)
    unit = readout / xp.sqrt(xp.sum(readout * readout, axis=-1))[..., None]
    row = xp.sum(unit[..., None] * matrix, axis=2)
    frobenius = xp.sqrt(xp.sum(xp.sum(matrix * matrix, axis=-1), axis=-1))
    signs = xp.asarray(sign_vectors(m))
    sums = xp.sum(signs[None, :, :, None] * samples[:, None, :, :], axis=2)
    values = xp.abs(xp.sum(sums * row, axis=-1)) / frobenius
    attained = xp.mean(values, axis=-1) / m
    norm = xp.sqrt(xp.sum(xp.sum(samples * samples, axis=-1), axis=-1))
    factor = printed_rank_factor(xp, r=0 * norm + r, n=0 * norm + n)
    return Judgement((), (Comparison("complexity", attained, factor * norm / m),))


def spectral_claim(xp: Any, *, singular: Any, rest: Any) -> Judgement:
    """A Frobenius norm against the spectral norm, from the singular values.

    `singular` (B, r) are those that are not zero, `rest` (B, n) only says how many there could be.
    """
    r, n = singular.shape[1], singular.shape[1] + rest.shape[1] - 1
    frobenius = xp.sqrt(xp.sum(singular * singular, axis=-1))
    spectral = xp.max(singular, axis=-1)
    full = xp.sqrt(0 * spectral + n) * spectral
    factor = printed_rank_factor(xp, r=0 * spectral + r, n=0 * spectral + n)
    return Judgement(
        (),
        (
            Comparison(
                "Frobenius norm",
                frobenius,
                frobenius_bound(xp, r=0 * spectral + r, spectral=spectral),
            ),
            Comparison("share of full rank", frobenius, factor * full),
        ),
    )


THEOREM_7 = Statement(
    id="square:theorem-7",
    kind="theorem",
    title="Rank and Rademacher complexity",
    source=Source("square", "Theorem 7"),
    topic="rademacher",
    variants=(
        Variant(
            "printed",
            "Frobenius norm 1",
            r"A layer's $n \times n$ matrix of Frobenius norm 1 and rank r contributes "
            r"$\sqrt{r/n}$ to the complexity: $\frac1m E_\sigma \sup |\sum_i \sigma_i \langle u, V "
            r"x_i\rangle| \le \sqrt{\frac rn} \frac{\|X\|}{m}$, the supremum over unit u and "
            "such V.",
            Claim(
                printed_rank_claim,
                (
                    Field("samples", ("m", "n")),
                    Field("left", ("S", "n", "r")),
                    Field("right", ("S", "r", "n")),
                    Field("readout", ("S", "n")),
                ),
                {"m": (1, 2), "n": (2, 4), "r": (1, 1)},
                {"S": lambda sizes: 2 ** (sizes["m"] - 1)},
            ),
            (Bound("contribution of a layer to the complexity", printed_rank_factor, "upper"),),
            defect="The supremum over a Frobenius ball is attained at rank 1, so a bound on the "
            "rank takes nothing away: one sample and the matrix that projects onto it reach all "
            "of it. Normalised matrices of the paper have Frobenius norm 1.",
        ),
        Variant(
            "corrected",
            "spectral norm 1",
            r"A matrix of rank r has $\|V\|_F \le \sqrt r\,\|V\|_2$. So where the spectral norm is "
            r"what is bounded, the Frobenius norm that enters the complexity bounds is "
            r"$\sqrt{r/n}$ times what it may be at full rank.",
            Claim(
                spectral_claim,
                (Field("singular", ("r",), "positive"), Field("rest", ("t",))),
                {"r": (1, 6), "t": (1, 6)},
            ),
            (Bound("Frobenius norm of a layer", frobenius_bound, "upper"),),
            remark="The quotient of Frobenius and spectral norm, squared, is the stable rank; it "
            "may stand in place of r.",
        ),
    ),
)

STATEMENTS = (THEOREM_7,)
