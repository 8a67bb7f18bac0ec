"""The flow of unconstrained features: integrated, in closed form, and what it conserves."""

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.laboratory.flow import (
    flow_on_subspace,
    gradient_flow,
    linearised_flow,
    linearised_flow_integrated,
    nearest_on_subspace,
    subspace_start,
)

TIMES = np.linspace(0.0, 2.0, 6)


def drawn(K=3, n=2, m=4, size=0.5, seed=3):
    rng = np.random.default_rng(seed)
    return size * rng.standard_normal((K, n, m)), size * rng.standard_normal((K, m))


def distance(one, other):
    """Largest difference of two paths, relative to the second."""
    pairs = [(getattr(one, x), getattr(other, x)) for x in ("features", "weights", "biases")]
    return max(np.abs(a - b).max() / max(np.abs(b).max(), 1e-300) for a, b in pairs)


@pytest.mark.parametrize("mean", [False, True])
@pytest.mark.parametrize(("K", "n", "m"), [(2, 1, 1), (3, 2, 4), (4, 3, 2)])
def test_closed_forms_agree_with_integration_to_1e_minus_10(K, n, m, mean):
    F, A = drawn(K, n, m)
    times = TIMES * (K * n if mean else 1)
    found = linearised_flow(F, A, times=times, mean=mean)
    again = linearised_flow_integrated(F, A, times=times, mean=mean, tolerance=1e-13)
    assert distance(again, found) < 1e-10
    exact = flow_on_subspace(A, n, times=times, mean=mean)
    whole = gradient_flow(*subspace_start(A, n), times=times, mean=mean, tolerance=1e-13)
    assert distance(whole, exact) < 1e-10


def test_the_mean_squared_error_takes_the_same_path_n_times_slower():
    F, A = drawn()
    quick = gradient_flow(F, A, times=TIMES, tolerance=1e-12)
    slow = gradient_flow(F, A, times=6 * TIMES, mean=True, tolerance=1e-12)
    assert distance(slow, quick) < 1e-9


def test_the_flow_conserves_the_imbalance_and_never_spreads_a_class():
    F, A = drawn()
    path = gradient_flow(F, A, times=np.linspace(0, 10, 41), checked=True)
    assert path.drift < 1e-9 and path.uncertainty < 1e-7
    apart = path.features - path.features.mean(axis=2, keepdims=True)
    spread = (apart**2).sum(axis=(1, 2, 3))
    assert np.diff(spread).max() <= 1e-12 and np.diff(path.risks).max() <= 1e-12


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_on_the_subspace_the_limit_is_strong_collapse_exactly_for_rank_k_minus_1(rank):
    n, m = 2, 4
    rng = np.random.default_rng(rank)
    A = 1e-3 * rng.standard_normal((4, rank)) @ rng.standard_normal((rank, m))
    path = flow_on_subspace(A, n, times=[0.0, 40.0])
    missing = np.sqrt(n * (3 - rank))
    assert path.errors[0][-1] == pytest.approx(missing, abs=1e-9)
    assert path.risks[-1] == pytest.approx(n * (3 - rank) / 2, abs=1e-9)
    assert path.errors[2][-1] < 1e-12


@pytest.mark.parametrize("seed", range(4))
def test_errors_at_the_end_grow_with_the_initialisation_and_zero_risk_is_no_collapse(seed):
    F, A = drawn(seed=seed)
    ends = []
    for scale in (1e-3, 1e-2):
        path = gradient_flow(scale * F, scale * A, times=[0.0, 25.0])
        ends.append([error[-1] for error in path.errors])
        gap = scale**2 * np.linalg.norm(A.T @ A - np.einsum("cni,cnj->ij", F, F))
        size = np.linalg.norm(path.weights[-1])
        assert path.risks[-1] < 1e-3 * path.errors[1][-1]
        assert path.errors[1][-1] >= np.sqrt(size**2 + gap) - size - 1e-9
    assert np.log10(np.divide(ends[1], ends[0])) == pytest.approx([2, 1, 1], abs=0.25)


def test_many_features_in_many_dimensions_keep_the_error_of_snc2_at_their_initial_size():
    F, A = drawn(2, 60, 20, size=1e-3)
    D = A.T @ A - np.einsum("cni,cnj->ij", F, F)
    least = np.sqrt((F**2).sum() - (A**2).sum() - np.sqrt(2) * np.linalg.norm(D))
    path = gradient_flow(F, A, times=[0.0, 4.0], tolerance=1e-9)
    assert 0.6 * np.linalg.norm(F) < least <= path.errors[1][-1]
    assert path.risks[-1] < 1e-6


def test_a_spread_orthogonal_to_the_weights_survives_at_zero_risk():
    A = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]) * 1e-2
    F, A, b = subspace_start(A, 2)
    F[:, 0, 2], F[:, 1, 2] = 1e-2, -1e-2
    path = gradient_flow(F, A, b, times=[0.0, 20.0], tolerance=1e-12)
    assert path.risks[-1] < 1e-12 and path.errors[0][-1] < 1e-6 and path.errors[2][-1] < 1e-6
    assert path.features[-1][:, :, 2] == pytest.approx(F[:, :, 2], abs=1e-15)


def test_the_nearest_point_of_the_subspace_is_its_own_nearest():
    near = nearest_on_subspace(*drawn())
    again = nearest_on_subspace(*near[:2])
    assert all(np.allclose(a, b, atol=1e-14) for a, b in zip(near, again, strict=True))


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ({"features": np.ones((2, 1, 3)), "weights": np.ones((2, 2)), "times": [1.0]}, "start"),
        ({"features": np.ones((1, 1, 2)), "weights": np.ones((1, 2)), "times": [1.0]}, "features"),
        (
            {"features": np.full((2, 1, 1), np.nan), "weights": np.ones((2, 1)), "times": [1.0]},
            "start",
        ),
        ({"features": np.ones((2, 1, 1)), "weights": np.ones((2, 1)), "times": [1, 1]}, "times"),
        ({"features": np.ones((2, 1, 1)), "weights": np.ones((2, 1)), "times": []}, "times"),
    ],
)
def test_bad_input_is_named(arguments, parameter):
    with pytest.raises(InputError) as caught:
        gradient_flow(**arguments)
    assert caught.value.parameter == parameter


def test_one_class_or_no_sample_has_no_subspace():
    with pytest.raises(InputError):
        subspace_start([[1.0]], 1)
    with pytest.raises(InputError):
        subspace_start([[1.0], [2.0]], 0)
