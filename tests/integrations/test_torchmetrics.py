"""The torchmetrics metric: what its library asks of a metric, and the values of `measure`."""

import copy
import pickle

import pytest

from ncbounds.errors import InputError
from ncbounds.measure import METRICS, measure

torch = pytest.importorskip("torch")
torchmetrics = pytest.importorskip("torchmetrics")

from ncbounds.integrations.torchmetrics import NeuralCollapse  # noqa: E402

K, D = 3, 4


def samples(seed=0, n=30):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % K
    return torch.randn(n, D, generator=generator) + torch.eye(K, D)[labels] * 2, labels


def layer():
    generator = torch.Generator().manual_seed(9)
    return torch.randn(K, D, generator=generator), torch.randn(K, generator=generator)


def metric(metrics=None, **options):
    weights, bias = layer()
    return NeuralCollapse(metrics, weights=weights, bias=bias, **options)


def fed(made, *batches):
    for batch in batches:
        made.update(*batch)
    return made


def values(found):
    return {name: value.item() for name, value in found.items()}


def expected(passes, *batches):
    x, y = (torch.cat(parts) for parts in zip(*batches, strict=True))
    found = measure(x, y, *layer()).metrics
    return {k: v for k, v in found.items() if METRICS[k].passes <= passes}


A, B = samples(0), samples(1)


def test_batches_give_the_metrics_of_one_pass():
    found = fed(metric(), A, B).compute()
    assert values(found) == pytest.approx(expected(1, A, B))
    assert "nc1.pinv" not in found and found["alpha"].dtype == torch.float64


def test_a_second_pass_gives_all_metrics():
    made = fed(metric("*"), A, B)
    with pytest.warns(UserWarning, match="nc1.pinv.*call next_pass"):
        assert made.compute()["nc1.pinv"].isnan()
    made.next_pass()
    found = values(fed(made, B, A).compute())
    assert found == pytest.approx(expected(2, A, B))
    with pytest.raises(InputError, match="pass = 2"):
        made(*A)
    made.reset()
    assert values(fed(made, B).compute())["nc1.trace"] == pytest.approx(expected(1, B)["nc1.trace"])


def test_one_name_gives_one_number_that_knows_its_direction():
    made = fed(NeuralCollapse("nc1.trace", classes=K, dimension=D), A)
    assert made.compute().item() == pytest.approx(expected(1, A)["nc1.trace"])
    assert made.higher_is_better is False and metric("accuracy").higher_is_better is True
    assert metric(["nc1.*"]).higher_is_better is None


def test_forward_measures_the_batch_and_goes_on():
    made = metric(["nc1.trace", "accuracy"])
    first, second = values(made(*A)), values(made(*B))
    assert first == pytest.approx({k: expected(1, A)[k] for k in first})
    assert second == pytest.approx({k: expected(1, B)[k] for k in second})
    assert values(made.compute()) == pytest.approx({k: expected(1, A, B)[k] for k in first})


@pytest.mark.parametrize(
    "copied",
    [
        lambda m: m.clone(),
        copy.deepcopy,
        lambda m: pickle.loads(pickle.dumps(m)),
        lambda m: m.to("cpu").half().set_dtype(torch.float16).to(torch.bfloat16),
    ],
    ids=["clone", "deepcopy", "pickle", "conversion"],
)
@pytest.mark.parametrize("passes", [1, 2])
def test_copies_go_on_alone(copied, passes):
    made = fed(metric("*"), A, B)
    if passes == 2:
        made.next_pass()
        fed(made, A)
    other = copied(made)
    fed(other, B if passes == 2 else A)
    batches = (A, B) if passes == 2 else (A, B, A)
    found = {k: v for k, v in values(other.compute()).items() if METRICS[k].passes <= passes}
    assert found == pytest.approx(expected(passes, *batches))


def test_states_merge_and_are_saved():
    one, other = fed(metric(), A), fed(metric(), B)
    one.merge_state(other)
    assert values(one.compute()) == pytest.approx(expected(1, A, B))
    one.persistent(True)
    loaded = metric()
    loaded.persistent(True)
    loaded.load_state_dict(one.state_dict())
    assert values(fed(loaded, A).compute()) == pytest.approx(expected(1, A, A, B))


def test_a_collection_shares_one_state():
    both = torchmetrics.MetricCollection(
        {"trace": metric("nc1.trace"), "means": metric(["nc2.*", "alpha"])}
    )
    for batch in (A, B, A):
        both.update(*batch)
    assert list(both.compute_groups.values()) == [["means", "trace"]]
    found, wanted = values(both.compute()), expected(1, A, A, B)
    assert found.pop("trace") == pytest.approx(wanted["nc1.trace"])
    assert found == pytest.approx({k: v for k, v in wanted.items() if k in found})
    both.update(*B)
    assert values(both.compute())["alpha"] == pytest.approx(expected(1, A, A, B, B)["alpha"])
    both.reset()
    assert values(fed(both, A).compute())["alpha"] == pytest.approx(expected(1, A)["alpha"])


def test_missing_classes_are_refused_or_left_out():
    x, y = A
    with pytest.raises(InputError, match="class 0"):
        fed(metric(), (x[y > 0], y[y > 0])).compute()
    found = fed(metric("accuracy", missing="leave out"), (x[y > 0], y[y > 0])).compute()
    assert 0 <= found.item() <= 1


@pytest.mark.parametrize(
    ("options", "parameter"),
    [
        ({"classes": 2}, "dimension"),
        ({"dimension": 2}, "classes"),
        ({"metrics": "nc3.etf", "classes": 2, "dimension": 2}, "metrics"),
        ({"metrics": ["nc9"], "classes": 2, "dimension": 2}, "metrics"),
    ],
)
def test_bad_settings_are_named(options, parameter):
    with pytest.raises(InputError) as error:
        NeuralCollapse(**options)
    assert error.value.parameter == parameter


def test_the_scatter_gives_nc1_in_one_pass_of_two_processes():
    h, labels = samples()
    names = ["nc1.pinv", "nc1.fuzziness", "gnc1"]
    one, two = (metric(names, scatter=True) for _ in range(2))
    one.update(h[:13], labels[:13])
    two.update(h[13:], labels[13:])
    one.merge_state(two)
    expected = measure(h, labels, *layer()).metrics
    found = {name: value.item() for name, value in one.compute().items()}
    assert found == pytest.approx({name: expected[name] for name in names}, rel=1e-12)
