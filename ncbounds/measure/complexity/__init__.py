"""Empirical Rademacher complexity of small classes, computed and not bounded: the judge of bounds.

Signs are enumerated, and for each the supremum over the class is enclosed for certain:

- `linear`: `x -> w . x`. The supremum is a norm.
- `relu_unit`: one hidden unit, and networks of one hidden layer of any width. The supremum is a
  Hausdorff distance of two zonotopes: convex problems, with a certificate on either side.
- `tree`: the binary-tree networks of `square:theorem-4`. Two levels are a finite search over arcs
  (`arcs`), checked anew in balls by `check_two_levels`; the angles below them are searched by
  branch and bound (`boxes`).

Every result is a `Complexity`: an enclosure in each of the definitions in use (`conventions`).
"""

from ncbounds.measure.complexity.check_two_levels import two_level_upper
from ncbounds.measure.complexity.conventions import CONVENTIONS, DEFINITION, Complexity, Convention
from ncbounds.measure.complexity.linear import linear_rademacher
from ncbounds.measure.complexity.relu_unit import hidden_layer_rademacher, hidden_unit_rademacher
from ncbounds.measure.complexity.tree import (
    TreeComplexity,
    toeplitz_matrices,
    tree_network,
    tree_rademacher,
)

__all__ = [
    "CONVENTIONS",
    "DEFINITION",
    "Complexity",
    "Convention",
    "TreeComplexity",
    "hidden_layer_rademacher",
    "hidden_unit_rademacher",
    "linear_rademacher",
    "toeplitz_matrices",
    "tree_network",
    "tree_rademacher",
    "two_level_upper",
]
