"""The lines of the paper's proof of Theorem 4, one after the other."""

from __future__ import annotations

from typing import Any

from ncbounds.theory.rademacher.binary_tree import kernel_product, sign_vectors
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)


def _signed_sums(xp: Any, samples: Any) -> Any:
    """``sum_i eps_i x_i`` for every sign vector: (B, m, d) to (B, S, d)."""
    signs = xp.asarray(sign_vectors(samples.shape[1]))
    return xp.sum(signs[None, :, :, None] * samples[:, None, :, :], axis=2)


def pairs_claim(xp: Any, *, pairs: Any) -> Judgement:
    """First line of (21): a ReLU on two nodes costs a factor 2 in the mean of the norm.

    `pairs` (B, H, m, 2) are the values of two nodes for each of H networks.
    """
    signs = xp.asarray(sign_vectors(pairs.shape[2]))[None, :, None, :, None]

    def mean_of_largest(values: Any) -> Any:
        sums = xp.sum(signs * values[:, None], axis=3)
        norms = xp.sqrt(xp.sum(sums * sums, axis=-1))
        return xp.mean(xp.max(norms, axis=-1), axis=-1)

    clipped = mean_of_largest(xp.maximum(pairs, 0 * pairs))
    return Judgement((), (Comparison("(21)", clipped, 2 * mean_of_largest(pairs)),))


def typeset_claim(xp: Any, *, samples: Any, rho: Any) -> Judgement:
    """The equation of (21), whose left side has a factor 2 that its right side lacks."""
    sums = _signed_sums(xp, samples)
    m = samples.shape[1]
    whole = xp.sqrt(rho[:, None] * rho[:, None] * xp.sum(sums * sums, axis=-1))
    left, right = 2 * xp.mean(whole, axis=-1) / m, xp.mean(whole, axis=-1) / m
    return Judgement((), (Comparison("(21)", left, right, "="),))


def after_peeling_claim(xp: Any, *, samples: Any, kernels: Any) -> Judgement:
    """The four lines of (22) without their common factor, rho the product of the kernel norms."""
    sums, m = _signed_sums(xp, samples), samples.shape[1]
    rho = kernel_product(xp, kernels)
    norms = xp.sqrt(xp.sum(sums * sums, axis=-1))
    first = xp.mean(xp.sqrt((rho * rho)[:, None] * xp.sum(sums * sums, axis=-1)), axis=-1) / m
    third = rho * xp.mean(norms, axis=-1) / m
    data = xp.sqrt(xp.sum(xp.sum(samples * samples, axis=-1), axis=-1))
    return Judgement(
        (),
        (
            Comparison("third line", first, third, "="),
            Comparison("fourth line", third, rho * data / m),
        ),
    )


_SAMPLES = Field("samples", ("m", "d"))

EQUATION_21 = Statement(
    id="square:eq-21",
    kind="equation",
    title="Lines of the proof of Theorem 4",
    source=Source("square", "(20)-(22)"),
    topic="rademacher",
    variants=(
        Variant(
            "printed",
            "first line of (21), any class",
            r"$E_\epsilon \sup \|\sum_i \epsilon_i (\sigma(v_1), \sigma(v_2))\| \le 2 E_\epsilon "
            r"\sup \|\sum_i \epsilon_i (v_1, v_2)\|$ over any finite class of pairs of nodes.",
            Claim(
                pairs_claim,
                (Field("pairs", ("H", "m", "two")),),
                {"H": (1, 4), "m": (1, 4)},
                {"two": lambda sizes: 2},
            ),
            remark="The lemma that the paper cites speaks of a supremum over the weights of the "
            "layer, which makes the norm one number; here the two nodes share their kernel, and "
            "the norm of both stays. With squares it holds, one node at a time: that proves "
            "Theorem 4.",
        ),
        Variant(
            "printed",
            "equation of (21), as typeset",
            r"$2 E_\epsilon \frac1m \sqrt{|W|^2 \|\sum_i \epsilon_i v(x_i)\|^2} = E_\epsilon "
            r"\frac1m \sqrt{|W|^2 \sum_j |\sum_i \epsilon_i v_j(x_i)|^2}$.",
            Claim(
                typeset_claim, (_SAMPLES, Field("rho", (), "positive")), {"m": (1, 3), "d": (1, 3)}
            ),
            defect="The factor 2 is lost. The last layer being linear, it was not needed; the "
            "powers of (22) are right.",
        ),
        Variant(
            "printed",
            "(22), after the peeling",
            r"$E_\epsilon \frac1m \sqrt{\prod_l |W^l|^2 \|\sum_i \epsilon_i x_i\|^2} = \frac\rho m "
            r"E_\epsilon \|\sum_i \epsilon_i x_i\| \le \frac{\rho \sqrt{\sum_i |x_i|^2}}m$ with "
            r"$\rho = \prod_l |W^l|$.",
            Claim(
                after_peeling_claim,
                (_SAMPLES, Field("kernels", ("L", "two"))),
                {"m": (1, 4), "d": (1, 3), "L": (1, 3)},
                {"two": lambda sizes: 2},
            ),
        ),
    ),
)

STATEMENTS = (EQUATION_21,)
