"""The worst cases of the alignment theorems are attained, and what is best is found in floats."""

import numpy as np
import pytest
from mutants.planting import claim_of

from ncbounds.arithmetic import balls
from ncbounds.arithmetic.floats import numpy_namespace, torch_namespace
from ncbounds.theory.proximity import alignment, weight_cosines

XP = numpy_namespace()
C, N, D = 4, 2, 5
LEVELS = ("bnwd:sharp-1", "sharp", "three levels of information")
LOGITS = ("bnwd:sharp-1", "sharp", "from mean logits")
LOSSES = ("bnwd:sharp-2", "sharp", "measured losses")
MEAN_LOSS = ("bnwd:sharp-2", "sharp", "the mean loss alone")
SHARE = ("bnwd:sharp-2", "sharp", "every share of the samples")


def simplex(scale):
    """A simplex of weights that leaves the last coordinate free."""
    w = np.zeros((C, D))
    w[:, :C] = np.eye(C) - 1 / C
    return scale * w


def features(along, lengths, signs=(1, -1)):
    """Features of given components and lengths, (C, N), that see the weights only so much."""
    v = simplex(1.0)
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    across = np.sqrt(lengths**2 - along**2) * np.asarray(signs)
    h = along[..., None] * v[:, None, :]
    h[..., D - 1] = across
    return h


def instance(along, lengths, scale=9.0, signs=(1, -1), **more):
    given = {"w": simplex(scale), "h": features(along, lengths, signs), **more}
    return {name: np.asarray(values, dtype=float)[None] for name, values in given.items()}


def ratio(key, name, given):
    judged = claim_of(*key).judge(XP, **given)
    assert all((h.slack >= 0).all() for h in judged.hypotheses)
    found = next(c for c in judged.conclusions if c.name == name)
    assert (found.slack > -1e-12).all()
    return found.lhs / found.rhs


# -- worst cases ----------------------------------------------------------------------------------

EVEN, ONE = np.full((C, N), 0.9), np.ones((C, N))


@pytest.mark.parametrize("name", ["NC1", "distance"])
def test_features_on_either_side_of_the_weight_attain(name):
    given = instance(EVEN, ONE, bias=np.zeros(C))
    assert ratio(LEVELS, name, given) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["NC3", "NC3 at NC1"])
def test_features_on_the_same_side_attain(name):
    given = instance(EVEN, ONE, signs=(1, 1), bias=np.zeros(C))
    assert ratio(LEVELS, name, given) == pytest.approx(1.0)


def test_the_best_multipliers_give_the_projections_and_attain():
    given = instance(EVEN, ONE, multipliers=np.zeros((C, C)))
    means = given["h"].mean(axis=2)
    logits = means @ np.swapaxes(given["w"], -1, -2)
    given["multipliers"] = alignment.best_multipliers(given["w"], logits)
    squares = alignment.projected_squares(XP, given["w"], logits, given["multipliers"])
    assert squares == pytest.approx((means**2).sum(axis=-1))
    assert ratio(LOGITS, "spread of a class", given) == pytest.approx(1.0)


def uneven():
    """Components of several sizes, with the lengths that are worst for the mean cosine."""
    along = np.array([[0.5, 0.9]] * C)
    lengths = along ** (1 / 3)
    return along, lengths / np.sqrt((lengths**2).mean())


@pytest.mark.parametrize(
    "name", ["subset", "subset, priced", "subset of measured norms", "mean cosine, any norms"]
)
def test_lengths_like_third_roots_attain_what_log_odds_allow(name):
    along, lengths = uneven()
    given = instance(along, lengths, bias=np.zeros(C), subset=ONE, price=1.0)
    best = weight_cosines.best_price(along[None], ONE[None], np.ones(1))
    assert ratio(LOSSES, name, {**given, "price": best}) == pytest.approx(1.0)


def test_a_class_whose_features_are_long_attains_while_the_others_are_aligned():
    along = np.full((C, N), 0.9)
    lengths = np.where(np.arange(C)[:, None] == 0, np.sqrt(C - (C - 1) * 0.81), along)
    subset = 1.0 * (np.arange(C)[:, None] == 0) + 0 * along
    given = instance(along, lengths, bias=np.zeros(C), subset=subset, price=1.0)
    assert ratio(LOSSES, "subset", given) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["mean cosine", "class means"])
def test_the_mean_loss_attains(name):
    signs = (1, -1) if name == "mean cosine" else (1, 1)
    assert ratio(
        MEAN_LOSS, name, instance(EVEN, ONE, signs=signs, bias=np.zeros(C))
    ) == pytest.approx(1.0)


def test_the_bound_for_every_share_attains_at_the_tangent_of_the_loss():
    given = instance(EVEN, ONE, bias=np.zeros(C), subset=ONE, error=0.5, kappa=0.9)
    margin = 0.9 * C / (C - 1) * np.linalg.norm(given["w"][0, 0])
    given["error"] = np.array([C / (C - 1 + np.exp(margin))])
    assert ratio(SHARE, "mean cosine", given) == pytest.approx(1.0)


# -- the best prices and tangents -----------------------------------------------------------------


def test_the_best_price_is_at_least_as_good_as_the_form_without():
    rng = np.random.default_rng(0)
    along = rng.uniform(-0.1, 1.1, (8, C, N))
    subset = 1.0 * (rng.random((8, C, N)) < 0.7)
    subset[:, 0, 0] = 1.0
    left = np.full(8, 1.5)
    price = weight_cosines.best_price(along, subset, left)
    priced = weight_cosines.priced_cosine(XP, along, subset, left, price)
    assert (priced >= weight_cosines.subset_cosine(XP, along, subset, left) - 1e-9).all()


@pytest.mark.parametrize(("L", "alpha"), [(0.001, 8.5), (0.008, 6.5), (0.0079, 13.0)])
def test_the_best_tangent_for_all_samples_is_that_of_the_loss(L, alpha):
    given = {"C": 10, "L": L, "alpha": alpha, "beta": 1.0}
    q, kappa = weight_cosines.best_tangent(**given, delta=1.0)
    best = weight_cosines.share_cosine(XP, **given, delta=1.0, q=q, kappa=kappa)
    assert best == pytest.approx(float(weight_cosines.loss_cosine(XP, **given)), abs=1e-6)


def test_few_classes_are_far_off():
    given = {"C": 10, "L": 0.008, "alpha": 6.345, "beta": 1.0, "delta": 0.1}
    q, kappa = weight_cosines.best_tangent(**given)
    assert weight_cosines.share_cosine(XP, **given, q=q, kappa=kappa) > 0.95


# -- conventions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [np.asarray, torch_namespace().asarray, balls.asarray])
def test_a_zero_vector_has_the_cosine_minus_one(make):
    xp = {np.asarray: XP, balls.asarray: balls}.get(make, torch_namespace())
    found = weight_cosines.cosines(xp, make([[0.0, 0.0], [3.0, 4.0]]), make([[1.0, 0.0]] * 2))
    values = [float(x.mid()) if xp is balls else float(x) for x in getattr(found, "data", found)]
    assert values == pytest.approx([-1, 0.6])


def test_a_ball_of_undecided_sign_may_be_positive_or_not():
    undecided = balls.is_positive(balls.ball(1) / 3 * 3 - 1)
    assert undecided.contains(0) and undecided.contains(1)
    assert balls.is_positive(balls.ball(2)) == 1 and balls.is_positive(balls.ball(0)) == 0
