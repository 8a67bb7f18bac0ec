"""Laws of what mean logits show of the class means."""

import numpy as np
import pytest

from ncbounds.arithmetic.floats import numpy_namespace
from ncbounds.errors import InputError
from ncbounds.measure.mean_logits import projected_gram
from ncbounds.theory.class_pairs import cosines_from_logits


@pytest.mark.parametrize("d", [3, 5, 12])
def test_every_cosine_of_class_means_lies_within_its_radius(d):
    rng = np.random.default_rng(d)
    C, weights, bias = 5, rng.normal(size=(5, d)), rng.normal(size=5)
    features = 2 * weights[:, None] + 0.5 * rng.normal(size=(C, 30, d))
    means = features.mean(axis=1)
    gram = projected_gram(weights, means @ weights.T + bias, bias)
    square = np.square(features).sum(axis=2).mean(axis=1)
    centres, radii = cosines_from_logits(numpy_namespace(), gram[None], square[None])
    units = means / np.linalg.norm(means, axis=1, keepdims=True)
    away = np.abs(units @ units.T - centres[0])
    assert (away <= radii[0] + 1e-12)[~np.eye(C, dtype=bool)].all()


def test_the_projections_are_those_on_the_span_of_the_centred_weights():
    rng = np.random.default_rng(0)
    weights, means = rng.normal(size=(4, 9)), rng.normal(size=(4, 9))
    rows = np.linalg.svd(weights - weights.mean(axis=0))[2][:3]
    seen = means @ rows.T
    assert projected_gram(weights, means @ weights.T) == pytest.approx(seen @ seen.T)


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ((np.ones(3), np.ones((3, 3))), "weights"),
        ((np.ones((3, 2)), np.ones((3, 2))), "mean_logits"),
        ((np.ones((3, 2)), np.ones((3, 3)), np.ones(2)), "bias"),
        ((np.ones((2, 2)), np.full((2, 2), np.nan)), "mean_logits"),
    ],
)
def test_bad_input_names_the_parameter(arguments, parameter):
    with pytest.raises(InputError, match=parameter):
        projected_gram(*arguments)
