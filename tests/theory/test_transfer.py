"""Where the bounds on nearest means, depth and transfer are attained, and what refutes the rest."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from mutants.planting import claim_of

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.campaign.certify import refute
from ncbounds.theory.transfer import cdnv, class_means, depth, deviations, target_tasks

XP = numpy_namespace()


def judged(key, **instance):
    arrays = {k: np.asarray(v, dtype=np.float64)[None] for k, v in instance.items()}
    found = claim_of(*key).judge(XP, **arrays)
    return {c.name: (c.lhs[0], c.rhs[0]) for c in (*found.hypotheses, *found.conclusions)}


def exact(**instance):
    return {
        k: np.vectorize(Fraction, otypes=[object])(np.array(v, dtype=object))
        for k, v in instance.items()
    }


@pytest.mark.parametrize("p", [Fraction(1, 2), Fraction(1, 3), Fraction(1, 5)])
def test_two_classes_attain_the_error_of_the_nearest_mean(p):
    # A share p of each class half way to the other mean, the rest as far back as that asks.
    M = p.denominator
    back = p.numerator / (M - p.numerator)
    own = [1.0] * p.numerator + [-back] * (M - p.numerator)
    points = np.array([own, [2 - x for x in own]])[None, :, :, None]
    if p == Fraction(1, 2):  # ties are exact in floats
        assert cdnv.own_mean_errors(XP, points).mean() == float(p)
    V = cdnv.cdnv(XP, points[:, 0], points[:, 1])
    assert cdnv.nearest_mean_bound(XP, K=2, V=V)[0] == pytest.approx(float(p))


def test_the_error_may_vanish_at_any_cdnv():
    points = np.array([[[0, -50.0], [0, 50]], [[1, -50], [1, 50]]])[None]
    assert cdnv.own_mean_errors(XP, points).max() == 0
    assert cdnv.cdnv(XP, points[:, 0], points[:, 1])[0] == 2500


def test_a_triangle_with_one_longer_side_attains_the_distance_of_the_gram_matrix():
    longer = 1.1
    centres = np.array([[-longer / 2, 0], [longer / 2, 0], [0, np.sqrt(1 - longer**2 / 4)]])
    centres -= centres.mean(axis=0)
    key = ("review:remark-etf-distance", "sharp", "only near a simplex ETF")
    lhs, rhs = judged(key, centres=centres)["Gram matrix"]
    assert lhs == pytest.approx(rhs, rel=1e-9)


@pytest.mark.parametrize("K", [2, 3, 6])
def test_a_simplex_attains_the_least_distance(K):
    centres = np.eye(K) - 1 / K
    key = (
        "review:remark-etf-distance",
        "corrected",
        "the least distance, and the mean over the pairs",
    )
    lhs, rhs = judged(key, centres=centres)["least over the pairs"]
    assert lhs == pytest.approx(rhs)
    least = class_means.squared_distances(XP, centres[None]).min()
    assert least == pytest.approx(2)


@pytest.mark.parametrize(("a", "b"), [*product(["1/1000", 1, 1000], repeat=2)])
def test_no_factors_of_n_and_delta_alone_do_for_52(a, b):
    claim = claim_of(
        "review:eq-52",
        "printed",
        "factors of proportionality that depend on n and delta alone",
    )
    instance = exact(first=[[0], [-1]], second=[[1], [1]], a=a, b=b, delta="1/10")
    assert refute(claim, instance) is not None


@pytest.mark.parametrize("factor", ["1/1000", "1/2", 1, 1000, 10**6])
def test_no_factor_does_for_heads_that_only_fit(factor):
    key = ("review:eq-54", "printed", "any linear head that fits the target samples")
    assert refute(claim_of(*key), exact(theta="1/2", factor=factor)) is not None


@pytest.mark.parametrize("flips", [[1], [1, 0, 0], [1, 1, 1], [1] * 9])
def test_networks_that_memorise_break_53_for_every_share_of_random_labels(flips):
    key = ("review:eq-53", "printed", "for all networks, under the two assumptions")
    instance = exact(flips=flips, epsilon="1/2", alpha="9/10")
    assert refute(claim_of(*key), instance) is not None


def test_so_they_do_where_random_labels_may_be_right():
    given = {"flips": np.ones((1, 8)), "epsilon": np.array([0.5]), "alpha": np.array([0.5])}
    _, by_chance = depth.memorising_claim(XP, **given).conclusions
    # 4/9 of the labels are random: (1 + 1/2) 4/9, all right, and more than 6 of 8 wrong
    assert by_chance.rhs == pytest.approx(2 / 3 + 1 / 256 + 9 / 256)
    assert by_chance.lhs == 1


def test_the_bound_for_trained_features_fails_from_some_size_on():
    key = ("review:eq-52", "printed", "features trained on the same samples")
    assert refute(claim_of(*key), exact(n=300)) is None
    assert refute(claim_of(*key), exact(n=1000)) is not None


def test_few_shot_bounds_tend_to_the_attained_one():
    V = Fraction(1, 7)
    with balls.precision(128):
        values = [
            target_tasks.transfer_bound.balls({"t": Fraction(2), "n": Fraction(n), "V": V})
            for n in (1, 10, 10**9)
        ]
        limit = cdnv.nearest_mean_bound.balls({"K": Fraction(2), "V": V})
    assert values[0] > values[1] > values[2] > limit
    assert float(values[2] - limit) < 1e-8


def test_the_certified_separation_grows_to_the_true_one():
    given = {"distance": 1.0, "s_1": 0.1, "s_2": 0.2, "R": 1.0, "H": 1.0, "delta": 0.05}
    found = [deviations.separation_bound(XP, n=np.float64(n), **given) for n in (10, 1e4, 1e12)]
    assert found[0] < 0 < found[1] < found[2] < 1 / np.sqrt(0.3)
    assert found[2] == pytest.approx(1 / np.sqrt(0.3), rel=1e-4)
