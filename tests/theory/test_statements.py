"""One table of statements drives the laws that every statement obeys."""

import re
from fractions import Fraction

import numpy as np
import pytest

from ncbounds.arithmetic import balls, symbolic
from ncbounds.arithmetic.certified import certify
from ncbounds.arithmetic.floats import numpy_namespace, torch_namespace
from ncbounds.arithmetic.grids import grid
from ncbounds.campaign import samplers
from ncbounds.campaign.comparisons import meets_hypotheses
from ncbounds.errors import InputError
from ncbounds.theory import statement, statements
from ncbounds.theory.terms import PAPERS

VARIANTS = {
    f"{s.id} [{v.name}, {v.reading}]": (s, v) for s in statements().values() for v in s.variants
}
CLAIMS = {name: v.claim for name, (_, v) in VARIANTS.items() if v.claim is not None}
FORMULAS = {f"{name}: {b.formula.name}": b for name, (_, v) in VARIANTS.items() for b in v.bounds}


def drawn(claim, seed=0, batch=64, decades=0.3):
    rng = np.random.default_rng(seed)
    sizes = samplers.draw_sizes(claim, rng)
    instance = samplers.draw(claim, sizes, batch, rng, decades)
    with np.errstate(all="ignore"):
        return samplers.meet_budgets(claim, numpy_namespace(), instance, 0.01)


@pytest.mark.parametrize("id", statements())
def test_ids_and_places_are_well_formed(id):
    found = statement(id)
    assert re.fullmatch(r"(bnwd|review|square|gnc):[a-z]+-[a-z0-9.\-]+", id)
    assert found.source.paper == id.split(":")[0] in PAPERS
    readings = [(v.name, v.reading) for v in found.variants]
    assert len(readings) == len(set(readings))


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_has_a_claim_or_says_why_not_or_is_the_definition(name):
    s, v = VARIANTS[name]
    assert not (v.claim and v.undecided)
    assert not v.defines or (s.kind, v.name, v.reading) == (
        "definition",
        "printed",
        "the definition",
    )
    assert v.text.count("$") % 2 == 0


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_declare_their_symbols_and_render(name):
    formula = FORMULAS[name].formula
    used = {str(s) for s in symbolic.expression(formula).free_symbols}
    assert used <= {p.argument for p in formula.parameters}
    assert symbolic.latex(formula) and symbolic.text(formula)
    assert symbolic.mathml(formula).startswith("<math")
    assert "?" not in formula.meaning and formula.meaning


#: Parameters that a formula wants small, or larger than the others.
ELSEWHERE = {"epsilon": Fraction(1, 1000), "larger": Fraction(2, 5)}


@pytest.mark.parametrize("name", FORMULAS)
def test_grids_lie_inside_the_certified_value(name):
    formula = FORMULAS[name].formula
    point = {
        p.name: ELSEWHERE.get(p.name, max(p.lower or Fraction(0), Fraction(0)) + Fraction(1, 3))
        for p in formula.parameters
    }
    point |= {p.name: Fraction(5) for p in formula.parameters if p.integer}
    assert formula.outside(point) is None
    truth = Fraction(certify(formula, point, 25).value)
    got = grid(formula, **{p.argument: float(point[p.name]) for p in formula.parameters})
    assert abs(Fraction(float(got)) - truth) <= abs(truth) / 10**12


@pytest.mark.parametrize("name", CLAIMS)
def test_hypotheses_are_met_by_the_sampler(name):
    claim = CLAIMS[name]

    def met(seed):
        with np.errstate(all="ignore"):
            judged = claim.judge(numpy_namespace(), **drawn(claim, seed, decades=2))
            return meets_hypotheses(judged).any()

    assert any(map(met, range(16)))


@pytest.mark.parametrize("name", CLAIMS)
def test_numpy_torch_and_balls_judge_alike(name):
    claim = CLAIMS[name]
    instance = drawn(claim, seed=3, batch=4)
    torch = torch_namespace()
    with np.errstate(all="ignore"):
        plain = claim.judge(numpy_namespace(), **instance)
    tensor = claim.judge(torch, **{k: torch.asarray(v) for k, v in instance.items()})
    with balls.precision(200):
        certain = claim.judge(balls, **{k: balls.asarray(v) for k, v in instance.items()})
    compared = 0
    for a, b, c in zip(
        (*plain.hypotheses, *plain.conclusions),
        (*tensor.hypotheses, *tensor.conclusions),
        (*certain.hypotheses, *certain.conclusions),
        strict=True,
    ):
        assert a.name == b.name == c.name
        for x, y, z in ((a.lhs, b.lhs, c.lhs), (a.rhs, b.rhs, c.rhs)):
            truth = np.array([float(t.mid()) for t in z.data.ravel()])
            defined = np.isfinite(truth) & np.isfinite(np.ravel(x))
            scale = np.abs(truth[defined]).max(initial=1.0)
            assert np.abs(np.ravel(x)[defined] - truth[defined]).max(initial=0) < 1e-8 * scale
            assert np.abs(np.ravel(y)[defined] - truth[defined]).max(initial=0) < 1e-8 * scale
            compared += int(defined.sum())
    assert compared > 0


def test_an_unknown_id_names_the_nearest():
    with pytest.raises(InputError, match=r"did you mean .*bnwd:lemma-2.1"):
        statement("bnwd:lemma-2.2")


def test_an_unknown_variant_names_the_known():
    with pytest.raises(InputError, match="one of printed, sharp"):
        statement("bnwd:lemma-a.2").select("corrected")
