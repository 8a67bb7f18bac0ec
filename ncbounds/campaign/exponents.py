"""Exponents: how the true worst case depends on a small parameter, beside how the bound does.

At each value of the parameter the adversary looks for the largest lhs/rhs, which is certified.
If the bound goes like the parameter to the power p and the largest lhs/rhs like the power q, then
the worst case goes like the power p + q (p - q for a bound from below): the parameters that are
not held drop out of the quotient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.arithmetic.grids import grid
from ncbounds.campaign.ascent import ascend
from ncbounds.campaign.certify import certified_tightness, exact_instance
from ncbounds.campaign.comparisons import meets_hypotheses, ratio
from ncbounds.theory.terms import Claim, Trend

_CERTIFIED = 3


@dataclass(frozen=True)
class Exponent:
    """The exponent of a bound in one parameter, and that of the worst case that was found.

    `tightness` has the largest certified lhs/rhs at each of `values`. The fits are least squares
    over the values, so they tell the order over their range.
    """

    conclusion: str
    parameter: str
    values: tuple[float, ...]
    tightness: tuple[float, ...]
    bound: float
    worst_case: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**vars(self), "values": list(self.values), "tightness": list(self.tightness)}


def exponent(
    claim: Claim, trend: Trend, seed: int = 0, restarts: int = 24, steps: int = 300
) -> Exponent | None:
    """Fit the exponent of the worst case in the parameter of a trend.

    Returns None where fewer than two values have an instance that meets the hypotheses.

    Raises
    ------
    MissingDependencyError
        When torch is not installed.
    """
    rng = np.random.default_rng(seed)
    found = [_tightness(claim, trend, value, rng, restarts, steps) for value in trend.values]
    points = [(float(v), t) for v, t in zip(trend.values, found, strict=True) if t is not None]
    if len(points) < 2:
        return None
    values, tightness = (tuple(column) for column in zip(*points, strict=True))
    place = {p.argument: float(trend.at.get(p.name, 0)) for p in trend.bound.parameters}
    own = next(p.argument for p in trend.bound.parameters if p.name == trend.parameter)
    bound = _slope(values, grid(trend.bound, **{**place, own: np.array(values)}))
    gain = _slope(values, tightness)
    return Exponent(
        conclusion=trend.conclusion,
        parameter=trend.parameter,
        values=values,
        tightness=tightness,
        bound=bound,
        worst_case=bound - gain if trend.lower else bound + gain,
    )


def _slope(values: Any, heights: Any) -> float:
    return float(np.polyfit(np.log(np.asarray(values)), np.log(np.asarray(heights)), 1)[0])


def _tightness(
    claim: Claim, trend: Trend, value: Any, rng: np.random.Generator, restarts: int, steps: int
) -> float | None:
    """The largest certified lhs/rhs that the adversary finds at one value of the parameter."""
    pin = trend.pin(value)
    least = {name: low for name, (low, _) in claim.sizes.items()}
    sizes = claim.axes({**least, **pin.sizes})
    batch = ascend(claim, trend.conclusion, sizes, restarts, steps, rng, pin)
    with np.errstate(all="ignore"):
        judged = claim.judge(numpy_namespace(), **batch)
        quotient = ratio(next(c for c in judged.conclusions if c.name == trend.conclusion))
        usable = meets_hypotheses(judged) & (quotient > 0)
    order = [i for i in np.argsort(-quotient, kind="stable") if usable[i]][:_CERTIFIED]
    certified = [
        certified_tightness(claim, exact_instance(batch, int(i)), trend.conclusion) for i in order
    ]
    return max((value for value in certified if value is not None), default=None)
