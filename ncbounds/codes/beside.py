"""What is proved and what is found, beside a paper's bounds on the one-vs-rest distance.

`gnc:theorem-3.9` bounds rho*(d, K) by closed formulas. The best bounds that are proved or cited
are algorithms, and the best arrangement is an entry of the catalogue: neither is a wording of the
theorem, so they stand beside it as entries "proved" and "found" of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ncbounds.arithmetic.certified import Decimal, certify
from ncbounds.codes.bounds import best_lower_bound, best_upper_bound, exact
from ncbounds.codes.catalogue import known
from ncbounds.theory.evaluate import Evaluation
from ncbounds.theory.softmax_code.code_bounds import rankin_upper

_STATEMENT = "gnc:theorem-3.9"


def beside(id: str, found: Sequence[Evaluation], digits: int) -> list[Evaluation]:
    """Return the best proved bounds and the best arrangement at the points of some evaluations.

    Empty for other statements, and at points outside the domain.

    Examples
    --------
    >>> from ncbounds.theory.evaluate import evaluate
    >>> rows = beside(_STATEMENT, evaluate(_STATEMENT, d=7, K=56), 6)
    >>> [(e.variant, e.reading, e.decimal.value) for e in rows[:2]]
    [('proved', 'caps, greedy code', '0.261417'), ('proved', 'Levenshtein', '0.666667')]
    """
    if id != _STATEMENT:
        return []
    quantity = found[0].quantity
    points = {(e.parameters["d"], e.parameters["K"]) for e in found}
    return [
        entry
        for d, K in sorted(points)
        if d.denominator == K.denominator == 1 and d >= 2 <= K
        for entry in _entries(int(d), int(K), quantity, digits)
    ]


def _entries(d: int, K: int, quantity: str, digits: int) -> Iterator[Evaluation]:
    parameters = {"d": Fraction(d), "K": Fraction(K)}

    def entry(variant: str, name: str, direction: str, value: Decimal, vacuous: bool) -> Evaluation:
        return Evaluation(
            _STATEMENT, variant, name, quantity, direction, parameters, value, "", vacuous
        )

    lower, upper = best_lower_bound(d, K), best_upper_bound(d, K)
    yield entry("proved", lower.name, "lower", lower.certified(digits), False)
    met = not lower.ball() < upper.ball()  # the optimum is known
    trivial = not met and bool(upper.ball() >= rankin_upper.balls(parameters))
    yield entry("proved", upper.name, "upper", upper.certified(digits), trivial)
    arrangement = known(d, K)
    if arrangement is not None:
        value = certify(exact(arrangement.one_vs_rest), {}, digits)
        assert value is not None  # it has no domain to be outside of
        yield entry("found", arrangement.name, "value", value, False)
