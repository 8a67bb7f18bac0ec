"""Guarantees from numbers: closed forms, refusals, and no measured value above its bound."""

import math
from fractions import Fraction

import numpy as np
import pytest

import ncbounds
from ncbounds import proximity_certificate
from ncbounds.errors import InputError
from ncbounds.measure.door import admit
from ncbounds.measure.information import gather
from ncbounds.report.guarantees import LEVELS, certificate

EXACT = {"classes": 10, "alpha": 2, "beta": 3, "loss": Fraction(1, 50), "log_odds": Fraction(31, 5)}
T = 10 / 9 * 6


def bound(found, quantity, level):
    (one,) = [g for g in found.guarantees if (g.quantity, g.level) == (quantity, level)]
    return float(one.bound)


# -- closed forms --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "p"),
    [("mean loss", math.log(9 / math.expm1(0.02))), ("mean log-odds", 6.2)],
)
def test_three_quantities_are_their_closed_forms_rounded_up(level, p):
    found, share = proximity_certificate(**EXACT), p / T
    for quantity, value in (
        ("nc1.relative", 1 - share**2),
        ("1 - nc3.cosine", 1 - share),
        ("self-duality.distance", 2 - 2 * share),
    ):
        assert 0 <= bound(found, quantity, level) / value - 1 < 1.1e-11


def test_the_mean_loss_alone_bounds_the_mean_cosine():
    """The branch of small losses: at least phi^{-1}(L)/T."""
    p = math.log(9 / math.expm1(0.02))
    found = proximity_certificate(**EXACT)
    value = bound(found, "1 - cosine.weights.mean", "mean loss")
    assert 0 <= value - (1 - p / T) < 1e-11


def test_a_bias_raises_the_loss_that_cosines_are_derived_from():
    numbers = {**EXACT, "loss": Fraction(1, 50), "log_odds": None}
    bias = [0.3] + [0.0] * 9
    raised = Fraction(1, 50) * Fraction(math.exp(0.3))  # C/(C-1) (0.3 - 0.03) = 0.3
    expected = proximity_certificate(**{**numbers, "loss": raised})
    found = proximity_certificate(**numbers, bias=bias)
    quantity = "1 - cosine.weights.mean"
    assert bound(found, quantity, LEVELS[0]) == pytest.approx(
        bound(expected, quantity, LEVELS[0]), rel=1e-10
    )
    assert bound(found, "nc1.relative", LEVELS[0]) == bound(
        proximity_certificate(**numbers), "nc1.relative", LEVELS[0]
    )


def test_single_precision_widens_by_what_it_stands_for():
    exact = bound(proximity_certificate(**EXACT), "1 - nc3.cosine", LEVELS[1])
    wide = proximity_certificate(**{**EXACT, "log_odds": np.float32(6.2)})
    away = bound(wide, "1 - nc3.cosine", LEVELS[1]) - exact
    assert 0.9 * 2**-18 * 6.2 / T < away < 1.2 * 2**-18 * 6.2 / T


@pytest.mark.parametrize("kind", [int, np.int64, np.int32, Fraction])
def test_integers_of_any_kind_are_exact(kind):
    found = proximity_certificate(**{**EXACT, "alpha": kind(2), "classes": 10})
    assert found == proximity_certificate(**EXACT)


def test_tensors_and_lists_are_taken_like_arrays():
    torch = pytest.importorskip("torch")
    W = np.eye(3) * 2
    mean_logits = 4 * np.eye(3)
    numbers = {"classes": 3, "alpha": 2.2}
    found = proximity_certificate(**numbers, weights=W, mean_logits=mean_logits)
    for other in (torch.tensor(W, requires_grad=True), W.tolist(), W.astype(int)):
        logits = torch.tensor(mean_logits) if isinstance(other, torch.Tensor) else mean_logits
        again = proximity_certificate(**numbers, weights=other, mean_logits=logits)
        assert again == found


# -- levels --------------------------------------------------------------------------------


def trained(seed=0, C=5, d=7, n=12, noise=0.3):
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(C, d))
    y = np.repeat(np.arange(C), n)
    h = 2 * (W - W.mean(axis=0))[y] + noise * rng.normal(size=(C * n, d))
    return h, y, W


#: Mean logits forget the single samples, so that neither of the two best levels is above the other.
NESTED = (
    ("mean loss", "mean log-odds"),
    ("mean log-odds", "mean logits"),
    ("mean loss", "losses and weights"),
)


@pytest.mark.parametrize("seed", range(6))
def test_better_information_never_gives_a_worse_bound(seed):
    h, y, W = trained(seed)
    for centred in ("", ".centred"):
        known = gather(admit(h, y, W, None), centred=bool(centred))
        found = certificate(known, centred, bool(centred))
        for quantity in {g.quantity for g in found.guarantees}:
            values = {g.level: float(g.bound) for g in found.guarantees if g.quantity == quantity}
            for less, more in NESTED:
                if less in values and more in values:
                    assert values[more] <= values[less], quantity
            assert float(found.best(quantity).bound) == min(values.values())


def test_numbers_and_data_give_the_same_guarantees():
    h, y, W = trained()
    m = ncbounds.measure(h, y, W).metrics
    means = np.stack([h[y == c].mean(axis=0) for c in range(5)])
    from_numbers = proximity_certificate(
        classes=5,
        alpha=m["alpha"],
        loss=m["loss.cross_entropy"],
        log_odds=m["logodds.mean"],
        weights=W,
        mean_logits=means @ W.T,
        class_alpha=[math.sqrt(np.square(h[y == c]).sum(axis=1).mean()) for c in range(5)],
    )
    measured = certificate(gather(admit(h, y, W, None)), cosines=False)
    for g in from_numbers.guarantees:
        assert float(g.bound) == pytest.approx(
            bound(measured, g.quantity, g.level), rel=1e-9, abs=1e-9
        )


def test_log_odds_of_classes_give_norms_and_angles_of_class_means():
    h, y, W = trained()
    means = np.stack([h[y == c].mean(axis=0) for c in range(5)])
    h = h - means.mean(axis=0)
    known = gather(admit(h, y, W, None))
    measured = certificate(known, ".centred", True)
    from_numbers = proximity_certificate(
        classes=5,
        alpha=float(known.alpha.mid()),
        weights=W,
        class_alpha=[float(x.mid()) for x in known.class_alpha],
        class_log_odds=[float(x.mid()) for x in known.class_log_odds],
        centred=True,
    )
    for quantity in ("nc2.equinorm", "nc2.cosine"):
        assert bound(from_numbers, quantity, LEVELS[3]) == pytest.approx(
            bound(measured, quantity, LEVELS[3]), rel=1e-6
        )
    assert bound(from_numbers, "nc1.relative.centred", LEVELS[1]) == pytest.approx(
        bound(measured, "nc1.relative.centred", LEVELS[1]), rel=1e-6
    )


def test_cosines_of_centred_features_need_centred_numbers():
    quantities = {g.quantity for g in proximity_certificate(**EXACT).guarantees}
    assert not any("intra" in q or "inter" in q or q == "nc2.cosine" for q in quantities)
    centred = proximity_certificate(**EXACT, centred=True)
    kept = 1 - bound(centred, "1 - cosine.weights.mean.centred", LEVELS[0])
    assert bound(centred, "1 - cosine.intra.mean", LEVELS[0]) == pytest.approx(1 - kept**2)


def test_a_loss_above_log_c_guarantees_nothing_and_says_so():
    found = proximity_certificate(classes=3, alpha=1, beta=1, loss=2)
    assert found.guarantees == ()
    assert "at or above log C" in str(found)
    with pytest.raises(InputError, match="quantity"):
        found.best("nc1.relative")


def test_no_float_is_below_what_the_loss_of_a_perfect_model_says():
    """A loss of 1e-300 at its least norms: the gap is zero and its bound is not negative."""
    p = math.log(9) + 300 * math.log(10)
    found = proximity_certificate(classes=10, alpha=1, beta=9 / 10 * p, loss=1e-300)
    for g in found.guarantees:
        assert 0 <= float(g.bound) < 1e-9


def test_plain_data_and_text():
    found = proximity_certificate(**EXACT)
    data = found.to_dict()
    assert data["skipped"] == {}
    assert data["guarantees"][0] == {
        "id": "bnwd:theorem-2.1",
        "variant": "sharp",
        "reading": "guarantee from the loss",
        "quantity": "nc1.relative",
        "level": "mean loss",
        "bound": float(found.guarantees[0].bound),
        "vacuous": False,
    }
    assert len(str(found).splitlines()) == len(found.guarantees)
    poor = proximity_certificate(classes=10, alpha=2, beta=3, log_odds=-1)
    vacuous = {g.quantity: g.vacuous for g in poor.guarantees}
    assert vacuous == {"nc1.relative": True, "1 - nc3.cosine": True, "self-duality.distance": False}
    assert str(poor).splitlines()[0].endswith("vacuous")


# -- refusals ------------------------------------------------------------------------------

_EYE = [[1.0, 0.0], [0.0, 1.0]]
_TWO = {"classes": 2, "weights": _EYE, "class_alpha": [2.0, 2.0]}


@pytest.mark.parametrize(
    ("parameter", "changes"),
    [
        ("classes", {"classes": 1}),
        ("classes", {"classes": True}),
        ("classes", {"classes": 2.0}),
        ("alpha", {"alpha": 0}),
        ("alpha", {"alpha": float("nan")}),
        ("alpha", {"alpha": "two"}),
        ("beta", {"beta": None}),
        ("beta", {"beta": -1.0}),
        ("loss", {"loss": 0}),
        ("loss", {"loss": float("inf")}),
        ("loss", {"loss": None, "log_odds": None}),
        ("loss", {"loss": Fraction(1, 100), "log_odds": None, "beta": Fraction(1, 2)}),
        ("log_odds", {"log_odds": 7}),
        ("log_odds", {"log_odds": 6}),
        ("weights", {"mean_logits": [[0.0] * 10] * 10}),
        ("weights", {"weights": [[1.0]] * 9}),
        ("weights", {"weights": [[1.0]] * 10}),
        ("weights", {"weights": [[math.nan]] * 10}),
        ("weights", {"weights": [1.0] * 10}),
        ("weights", {"weights": [[]] * 10}),
        ("weights", {"weights": [[1.0], [2.0, 3.0]]}),
        ("bias", {"bias": [0.0] * 9}),
        ("bias", {"bias": [math.inf] * 10}),
        ("class_alpha", {"class_alpha": [2.0] * 9}),
        ("class_alpha", {"class_alpha": [2.0] * 9 + [0.0]}),
        ("class_alpha", {"class_alpha": [3.0] * 10}),
        ("weights", {"class_log_odds": [6.2] * 10, "class_alpha": [2.0] * 10}),
        ("class_alpha", {"classes": 2, "weights": _EYE, "class_log_odds": [-1.0, -1.0]}),
        ("class_log_odds", {**_TWO, "class_log_odds": [-1.0]}),
        ("class_log_odds", {**_TWO, "class_log_odds": [-1.0, math.nan]}),
        ("class_log_odds", {**_TWO, "class_log_odds": [-1.0, 0.0]}),
        ("mean_logits", {"classes": 2, "weights": _EYE, "mean_logits": [[0.0]]}),
        ("mean_logits", {"classes": 2, "weights": _EYE, "mean_logits": [[9.0, 0.0], [0.0, 9.0]]}),
        ("mean_logits", {"classes": 2, "weights": _EYE, "mean_logits": [[1.0, 0.0], [0.0, "b"]]}),
    ],
    ids=str,
)
def test_bad_or_impossible_input_is_refused_in_one_line(parameter, changes):
    kept = {"loss": None, "log_odds": -1} if changes.get("classes") == 2 else {}
    with pytest.raises(InputError) as refusal:
        proximity_certificate(**{**EXACT, "loss": Fraction(1, 50), **kept, **changes})
    assert str(refusal.value).startswith(parameter)
    assert "\n" not in str(refusal.value)
