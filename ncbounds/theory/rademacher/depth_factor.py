"""Whether a factor for the depth is needed at all: yes, if nodes have kernels of their own.

Six patches of two numbers are read by a ReLU node each, and these by a linear output. Each patch
has three samples to itself, (3, 3), (-2, 2) and (0, 5), where all the others are zero. With signs
chosen, each node picks its kernel. The square of what it adds takes four values, which depend on
the signs of its own samples up to a common one; so the mean over all signs is a sum over how many
of the six nodes have which value.
"""

from __future__ import annotations

from itertools import product
from math import factorial, prod
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

SAMPLES = ((3, 3), (-2, 2), (0, 5))
#: For the signs of the three samples, the first one positive: a kernel that does well.
KERNELS = {
    (1, 1, 1): (1, 10),
    (1, 1, -1): (1, 0),
    (1, -1, 1): (5, 6),
    (1, -1, -1): (-1, 1),
}
NODES = 6


def node_sums(xp: Any, scale: Any) -> list[Any]:
    """For each choice of signs the square of ``sum_i eps_i relu(<w, x_i>)`` at its unit kernel."""
    found = []
    for signs, (a, b) in KERNELS.items():
        values = [(a * u + b * v) * scale for u, v in SAMPLES]
        total = sum(e * xp.maximum(v, 0 * v) for e, v in zip(signs, values, strict=True))
        found.append(total * total / (a * a + b * b))
    return found


def own_kernels_claim(xp: Any, *, scale: Any) -> Judgement:
    """The mean of the norm of the six node sums is more than 1.009 times the norm of the data."""
    squares, attained = node_sums(xp, scale), 0 * scale
    for counts in product(range(NODES + 1), repeat=len(squares)):
        if sum(counts) == NODES:
            ways = factorial(NODES) // prod(map(factorial, counts))
            of_nodes = sum(n * square for n, square in zip(counts, squares, strict=True))
            attained = attained + ways * xp.sqrt(of_nodes)
    data = xp.sqrt(NODES * sum(u * u + v * v for u, v in SAMPLES) * scale * scale)
    bound = data * 1009 / 1000
    return Judgement((), (Comparison("attained", bound, attained / len(squares) ** NODES),))


DEPTH_FACTOR = Statement(
    id="square:remark-depth-factor",
    kind="remark",
    title="Is a factor for the depth needed?",
    source=Source("square", "Sec. 4.3, after (22)"),
    topic="rademacher",
    variants=(
        Variant(
            "sharp",
            "kernels of their own",
            r"There are two-level networks with a kernel of norm 1 for each node, six nodes in the "
            r"lower level, and 18 samples with $E_\sigma \sup_h |\sum_i \sigma_i h(x_i)| > 1.009\, "
            r"\sqrt{\sum_i |x_i|^2}$.",
            Claim(own_kernels_claim, (Field("scale", (), "positive"),)),
            remark=r"A level of ReLU costs at most $(1 + \sqrt2)/2$, so for two levels the truth "
            "lies between 1.009 and 1.208.",
        ),
        Variant(
            "sharp",
            "shared kernels",
            r"Whether $\frac1m E_\sigma \sup_h |\sum_i \sigma_i h(x_i)| \le \frac{\rho\|X\|}{m}$ "
            r"for the binary tree, whose nodes share the kernel of their level.",
            undecided="Neither proof nor counterexample: no instance above 1 was found for "
            "up to four levels and six samples. The mean of the square exceeds 1 already for one "
            "level of ReLU and three samples in the plane, so that second moments cannot prove it.",
        ),
    ),
)

STATEMENTS = (DEPTH_FACTOR,)
