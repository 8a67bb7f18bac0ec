"""One table of claims drives the laws that every strategy obeys."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, reject, settings
from mutants import MUTANTS
from mutants.planting import claim_of, together
from mutants.spine import LEMMA

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.campaign import strategies
from ncbounds.campaign.certify import admitted, exact_instance, judge_exact, refute, sizes_of
from ncbounds.campaign.strategies import instances_of
from ncbounds.errors import InputError
from ncbounds.theory import statements
from proofs_check.steps import proofs

CLAIMS = [(s.id, v.name, v.reading) for s in statements().values() for v in s.variants if v.claim]
#: The last of each statement.
ONE_EACH = list({id: (id, *rest) for id, *rest in CLAIMS}.values())


@cache
def drawn(key):
    """Instances of one claim, the same in every run, and how many draws gave none.

    There are as many as the profile says, unless Hypothesis finds that there are no more.
    """
    found = []

    @settings(derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(instances_of(*key))
    def collect(instance):
        found.append(instance)

    with mock.patch.object(strategies, "reject", wraps=reject) as rejected:
        collect()
    return found, rejected.call_count


def examples(key):
    return drawn(key)[0]


def simplest(strategy, condition=lambda instance: True):
    """What Hypothesis shrinks an instance with a property to."""
    effort = settings(
        max_examples=1000,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    return find(strategy, condition, settings=effort)


def breaks(claim):
    """Whether an instance is a counterexample; one precision is enough for small numbers."""
    return lambda instance: refute(claim, exact_instance(instance, 0), (128,), (4, 12)) is not None


# -- the laws of every claim ----------------------------------------------------------------------


@pytest.mark.parametrize("key", together(CLAIMS))
def test_shapes_and_entries_are_admitted(key):
    claim = claim_of(*key)
    for instance in examples(key):
        assert all(v.dtype == np.float64 and len(v) == 1 for v in instance.values())
        assert admitted(claim, exact_instance(instance, 0))


@pytest.mark.parametrize("key", together(CLAIMS))
def test_hypotheses_hold_with_certainty_at_the_numbers_as_they_are(key):
    for instance in examples(key):
        with balls.precision(256):
            hypotheses = judge_exact(claim_of(*key), exact_instance(instance, 0)).hypotheses
            assert all(balls.certainly_nonnegative(h.slack).all() for h in hypotheses)


@pytest.mark.parametrize("key", together(CLAIMS))
def test_floats_judge_finitely(key):
    for instance in examples(key):
        with np.errstate(all="ignore"):
            judged = claim_of(*key).judge(numpy_namespace(), **instance)
        for comparison in (*judged.hypotheses, *judged.conclusions):
            assert np.isfinite(comparison.lhs).all() and np.isfinite(comparison.rhs).all()


@pytest.mark.parametrize("key", together(proofs()))
def test_what_is_proved_survives(key):
    assert not any(map(breaks(claim_of(*key)), examples(key)))


@pytest.mark.parametrize("key", together(CLAIMS))
def test_at_least_half_of_the_draws_give_an_instance(key):
    found, rejected = drawn(key)
    assert len(found) >= max(rejected, 10)


@pytest.mark.parametrize("key", together(ONE_EACH))
def test_shrinking_ends_at_small_sizes_and_small_integers(key):
    claim = claim_of(*key)
    instance = simplest(instances_of(*key))
    sizes = sizes_of(claim, exact_instance(instance, 0))
    assert all(sizes[name] <= low + 3 for name, (low, _) in claim.sizes.items() if name in sizes)
    for field in claim.fields:
        if field.kind not in ("budget", "proportion"):
            values = instance[field.name]
            assert (values == np.round(values)).all() and np.abs(values).max() <= 9


# -- degenerate instances -------------------------------------------------------------------------

DEGENERATE = {
    "one point": (LEMMA, lambda i: i["x"].size == 1),
    "equal points": (LEMMA, lambda i: i["x"].size > 4 and np.ptp(i["x"]) == 0),
    "almost equal points": (LEMMA, lambda i: 0 < np.ptp(i["x"]) < 1e-6 * abs(i["x"]).min()),
    "a gap of zero": (LEMMA, lambda i: i["epsilon"] == 0 and i["x"].size > 1),
    "all points chosen": (LEMMA, lambda i: i["subset"].size > 2 and i["subset"].all()),
    "one point chosen": (LEMMA, lambda i: i["subset"].size > 8 and i["subset"].sum() == 1),
    "half of the points": (
        ("bnwd:lemma-a.2", "sharp", "at most half of the points"),
        lambda i: i["subset"].size > 3 and i["subset"].mean() == 0.5,
    ),
    "weights of zero": (
        ("bnwd:theorem-2.1", "sharp", "identity (log)"),
        lambda i: not i["w"].any() and i["h"].any(),
    ),
    "no within-class variability": (
        ("bnwd:theorem-2.1", "sharp", "guarantee from the loss"),
        lambda i: i["h"].shape[2] > 1 and np.ptp(i["h"], axis=2).max() == 0,
    ),
    "the least number of classes allowed": (
        ("gnc:theorem-3.9", "printed", "K >= sqrt(2 pi sqrt(e d)), as typeset"),
        lambda i: i["w"].shape == (1, 4, 2),
    ),
    "a zero row": (
        ("square:theorem-4", "printed", "Definition 1, with the factor 2"),
        lambda i: i["samples"].shape[1] > 1 and not i["samples"].any(axis=-1).all(),
    ),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_instances_occur(name):
    key, condition = DEGENERATE[name]
    assert condition(simplest(instances_of(*key), condition))


# -- planted errors -------------------------------------------------------------------------------

PLANTED = [
    "lemma 2.1: constant 1 % tighter",
    "lemma A.2: e^mean in the numerator",
    "lemma A.2 sharp: any subset",
    "proposition A.1: order 1 % smaller",
    "proposition A.1: radius without root",
    "theorem 2.1: alignment 1 % tighter",
    "theorem 3.9: upper side divided by 4",
    "theorem 4: constant 1 % tighter",
    "equation 25: exponent off by one",
]


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_error_is_found(name):
    key, mutate = MUTANTS[name]
    mutant = mutate(claim_of(*key))
    assert breaks(mutant)(simplest(instances_of(mutant), breaks(mutant)))


def test_lemma_2_1_without_the_root_shrinks_to_two_points():
    key, mutate = MUTANTS["lemma 2.1: root dropped"]
    mutant = mutate(claim_of(*key))
    found = simplest(instances_of(mutant), breaks(mutant))
    assert found["x"].shape == (1, 2) and found["knots"].shape == (1, 1)
    assert sorted(abs(found["x"][0])) == [0, 1]
    assert found["m"] == 1 and found["epsilon"] == 0.125


# -- the door -------------------------------------------------------------------------------------


def test_without_a_name_the_first_variant_with_a_claim_is_meant():
    assert simplest(instances_of("bnwd:lemma-2.1")).keys() == examples(LEMMA)[0].keys()
    assert "share" in simplest(instances_of("bnwd:proposition-a.1", "corrected"))
    assert "bias" in simplest(instances_of("bnwd:theorem-2.1", reading="guarantee from the loss"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bnwd:lemma-2.2",), "did you mean"),
        (("bnwd:lemma-2.1", "sharp"), "variant = sharp: must be one of printed"),
        (("bnwd:lemma-2.1", None, "no such"), "reading = no such: must be one of f - "),
        ((claim_of(*LEMMA), "printed"), "variant = printed: must be left out"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(InputError) as raised:
        instances_of(*arguments)
    assert message in str(raised.value)


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_without_hypothesis_the_remedy_is_named():
    told = python(
        "import sys; sys.modules['hypothesis'] = None\n"
        "from ncbounds.errors import MissingDependencyError\n"
        "try:\n    import ncbounds.campaign.strategies\n"
        "except MissingDependencyError as error:\n    print(error)"
    )
    assert 'pip install "ncbounds[test]"' in told


# -- profiles -------------------------------------------------------------------------------------


def test_profiles_are_quick_reproducible_and_long():
    dev, ci, campaign = map(settings.get_profile, ("dev", "ci", "campaign"))
    assert dev.max_examples <= 50 < ci.max_examples < 1000 <= campaign.max_examples
    assert ci.derandomize and ci.print_blob
    assert dev.deadline is ci.deadline is campaign.deadline is None
    assert HealthCheck.too_slow in campaign.suppress_health_check


@pytest.mark.parametrize(("given_name", "loaded"), [("ci", "ci"), ("", "dev")])
def test_the_environment_names_the_profile(given_name, loaded):
    told = python(
        f"import os, runpy; os.environ.update(HYPOTHESIS_PROFILE={given_name!r})\n"
        "os.environ['HYPOTHESIS_PROFILE'] or os.environ.pop('HYPOTHESIS_PROFILE')\n"
        f"runpy.run_path({str(Path(__file__).parents[1] / 'conftest.py')!r})\n"
        "from hypothesis import settings\n"
        f"print(settings().max_examples == settings.get_profile({loaded!r}).max_examples)"
    )
    assert told.strip() == "True"
