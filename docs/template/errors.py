"""Errors planted in the template: each has to be refuted, and proved by nobody.

It would stand in tests/campaign/mutants/one_sample.py.
"""

from __future__ import annotations

from mutants.planting import changed, rhs, without

TRUE = ("review:remark-one-sample", "corrected", "with the number of samples")

MUTANTS = {
    "one sample: constant 1 % smaller": (
        TRUE,
        lambda c: changed(c, "every feature", rhs(99, 100)),
    ),
    "one sample: any variability": (TRUE, lambda c: without(c, "small variability")),
}
