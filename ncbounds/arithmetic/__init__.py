"""Number systems: balls, formulas over any of them, certified digits, grids and covers."""

from ncbounds.arithmetic.boxes import Cover, Refusal, prove_nonnegative
from ncbounds.arithmetic.certified import Decimal, certify, exact
from ncbounds.arithmetic.check_cover import check_cover
from ncbounds.arithmetic.formula import Condition, Formula, Parameter, formula

__all__ = [
    "Condition",
    "Cover",
    "Decimal",
    "Formula",
    "Parameter",
    "Refusal",
    "certify",
    "check_cover",
    "exact",
    "formula",
    "prove_nonnegative",
]
