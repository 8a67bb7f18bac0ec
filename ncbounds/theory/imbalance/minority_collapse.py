"""Classes of unequal size: `review:eq-34`, assembled from its parts."""

from __future__ import annotations

from ncbounds.theory.imbalance.below_threshold import BELOW
from ncbounds.theory.imbalance.both_sides import SIDES
from ncbounds.theory.imbalance.merging import MERGING
from ncbounds.theory.imbalance.relaxation import RELAXATION
from ncbounds.theory.imbalance.threshold import COLLAPSE
from ncbounds.theory.terms import Source, Statement

EQUATION_34 = Statement(
    id="review:eq-34",
    kind="equation",
    title="The layer-peeled model with imbalance, and minority collapse",
    source=Source("review", "(34)"),
    topic="imbalance",
    variants=(*RELAXATION, *COLLAPSE, *SIDES, *BELOW, *MERGING),
)

STATEMENTS = (EQUATION_34,)
