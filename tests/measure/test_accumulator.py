"""Batches, processes and files: sums split and merge in any way, and give what `measure` gives."""

import multiprocessing
import pickle

import numpy as np
import pytest
from measure_reference import reference
from metric_laws import HARD, OF_SCATTER, THIN, exact, far, hard_case, in_one_pass

from ncbounds.errors import InputError
from ncbounds.measure import (
    METRICS,
    Accumulator,
    accumulator,
    gathered,
    measure,
    measure_batches,
    passes,
)

TWO_PASSES = {name for name, metric in METRICS.items() if metric.passes == 2}


def same(found, expected, rel=1e-12):
    assert found.undefined == expected.undefined
    assert (found.n, found.d, found.K) == (expected.n, expected.d, expected.K)
    assert found.metrics == pytest.approx(expected.metrics, rel=rel, abs=1e-290)


def parts_of(features, labels, parts, seed=0):
    order = np.random.default_rng(seed).permutation(len(labels))
    return [(features[i], labels[i]) for i in np.array_split(order, parts)]


def first_passes(batches, **layer):
    made = []
    for batch in batches:
        made.append(Accumulator(**layer))
        made[-1].update(*batch)
    return made


@pytest.mark.parametrize("case", HARD)
@pytest.mark.parametrize("parts", [2, 5])
def test_batches_in_any_order_give_what_the_whole_gives(case, parts):
    features, labels, W, b = hard_case(**HARD[case]).arrays
    batches = parts_of(features, labels, parts)
    same(measure_batches(batches, weights=W, bias=b), measure(features, labels, W, b))


@pytest.mark.parametrize("case", ["offset of 1e4 times the spread", "collapse to 1e-12"])
def test_merged_passes_agree_with_fifty_digits(case):
    features, labels, W, b = hard_case(**HARD[case]).arrays
    batches = parts_of(features, labels, 3)
    one, two, three = first_passes(batches, weights=W, bias=b)
    whole = one.merge(two).merge(three)
    whole.next_pass()
    seconds = [pickle.loads(pickle.dumps(whole)) for _ in batches]
    for part, batch in zip(seconds, batches, strict=True):
        part.update(*batch)
    found = seconds[2].merge(seconds[0]).merge(seconds[1]).compute().metrics
    assert far(found, reference(features, labels, W, b), floor=1e-280) == []


def test_merging_is_associative_and_changes_neither_side():
    features, labels, W, b = hard_case(offset=1e4).arrays
    one, two, three = first_passes(parts_of(features, labels, 3), weights=W, bias=b)
    before = one.compute("leave out"), two.compute("leave out")
    left, right = one.merge(two).merge(three), one.merge(two.merge(three))
    same(left.compute(), right.compute(), rel=1e-13)
    with_nothing = Accumulator(weights=W, bias=b).merge(one)
    with_nothing.update(features, labels)
    assert (one.compute("leave out"), two.compute("leave out")) == before


def test_one_pass_gives_what_needs_no_deviation_from_class_means():
    features, labels, W, b = hard_case().arrays
    (once,) = first_passes([(features, labels)], weights=W, bias=b)
    found = once.compute()
    assert set(found.undefined) == TWO_PASSES
    assert set(found.undefined.values()) == {"needs a second pass over the samples"}
    whole = measure(features, labels, W, b).metrics
    assert found.metrics == {k: whole[k] for k in METRICS if k not in TWO_PASSES}


PLAIN = ("plain", "collapse to 1e-12", "more classes than dimensions", "tiny features")


@pytest.mark.parametrize("case", PLAIN)
def test_the_scatter_of_one_pass_gives_nc1_as_two_passes_do(case):
    c = hard_case(**HARD[case])
    found, whole = in_one_pass(c), measure(*c.arrays).metrics
    assert set(found) == set(OF_SCATTER)
    assert far(found, {name: whole[name] for name in OF_SCATTER}, rel=1e-12) == []


@pytest.mark.parametrize("case", HARD)
def test_the_scatter_of_one_pass_agrees_with_fifty_digits(case):
    found = in_one_pass(hard_case(**HARD[case]))
    assert far(found, {name: exact(case)[name] for name in OF_SCATTER}, rel=1e-10) == []


@pytest.mark.parametrize(("case", "rel"), [*zip(THIN, (1e-11, 1e-8), strict=True)])
def test_the_scatter_loses_digits_in_a_thin_direction_as_documented(case, rel):
    found = in_one_pass(hard_case(**THIN[case]))
    assert far(found, {name: exact(case)[name] for name in OF_SCATTER}, rel=rel) == []


def test_classes_of_unequal_size_need_their_counts_or_a_second_pass():
    features, labels, W, b = hard_case().arrays
    layer, whole = {"weights": W, "bias": b}, measure(features, labels, W, b)
    batches = parts_of(features, labels, 3)
    once = measure_batches(batches, **layer, passes=1, scatter=True)
    assert set(once.undefined) == TWO_PASSES - {"nc1.pinv.samples", "nc1.fuzziness"}
    assert {once.undefined[k] for k in ("nc1.pinv", "gnc1")} == {
        "classes of unequal size: tell the counts, scatter=counts, or make a second pass"
    }
    # Their values win, to the bit.
    assert measure_batches([(features, labels)], **layer, scatter=True) == whole
    of_one_size = np.concatenate([np.flatnonzero(labels == c)[:1] for c in range(4)])
    h, y = np.repeat(features[of_one_size], 2, axis=0), np.repeat(labels[of_one_size], 2)
    h[::2] += 0.1 * np.arange(6)
    found = measure_batches([(h, y)], 4, passes=1, scatter=True).metrics
    expected = measure(h, y).metrics
    assert far(found, {name: expected[name] for name in OF_SCATTER}, rel=1e-12) == []


def test_classes_without_samples_are_left_out_of_the_scatter():
    features, labels, *_ = hard_case().arrays
    batches, counts = [(features, 2 * labels)], np.zeros(8, int)
    counts[::2] = np.bincount(labels)
    left = {"classes": 8, "missing": "leave out", "passes": 1}
    found = measure_batches(batches, **left, scatter=counts).metrics
    expected = measure(features, labels).metrics
    assert far(found, {name: expected[name] for name in OF_SCATTER}, rel=1e-12) == []
    with pytest.raises(InputError, match="that were seen"):
        measure_batches(batches, **left, scatter=counts + 1)
    counts[1] = 3
    with pytest.raises(InputError, match="that were seen"):
        measure_batches(batches, **left, scatter=counts)


def test_equal_class_means_have_no_nc1_in_one_pass_either():
    features = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    labels = [0, 0, 1, 1]
    once = measure_batches([(features, labels)], 2, passes=1, scatter=True).undefined
    twice = measure(features, labels).undefined
    assert {k: once[k] for k in OF_SCATTER} == {k: twice[k] for k in OF_SCATTER}


@pytest.mark.parametrize("told", [True, False])
def test_a_saved_scatter_goes_on_where_it_was(told, tmp_path):
    features, labels, *_ = hard_case(offset=10.0).arrays
    found = Accumulator(4, scatter=np.bincount(labels) if told else True)
    for batch in parts_of(features, labels, 3):
        found.save(tmp_path / "sums.safetensors")
        found = Accumulator.load(tmp_path / "sums.safetensors")
        found.update(*batch)
    assert Accumulator.from_bytes(found.to_bytes()).compute() == found.compute()
    expected = measure_batches(parts_of(features, labels, 3), 4, passes=1, scatter=True)
    assert found.compute().metrics["nc1.fuzziness"] == expected.metrics["nc1.fuzziness"]
    assert ("gnc1" in found.compute().metrics) is told


def test_a_generator_that_is_used_up_gives_one_pass_and_a_callable_two():
    features, labels, _, _ = hard_case().arrays
    batches = parts_of(features, labels, 3)
    assert set(measure_batches(iter(batches), classes=4).undefined) > {"nc1.pinv", "ncc.error"}
    same(measure_batches(lambda: iter(batches), classes=4), measure(features, labels))


def test_a_saved_accumulator_goes_on_where_it_was(tmp_path):
    features, labels, W, b = hard_case(noise=1e-9, offset=1e4).arrays
    batches = parts_of(features, labels, 3)
    found = Accumulator(weights=W, bias=b, temperature=0.5)
    for _ in range(2):
        for batch in batches:
            found.update(*batch)
            found.save(tmp_path / "sums.safetensors")
            found = Accumulator.load(tmp_path / "sums.safetensors")
        if found.passes == 1:
            found.next_pass()
    same(found.compute(), measure(features, labels, W, b, temperature=0.5))


def test_a_file_of_other_shapes_is_refused(tmp_path):
    from safetensors.numpy import load_file, save_file

    found = Accumulator(classes=2)
    found.update([[1.0], [2.0]], [0, 1])
    found.save(tmp_path / "sums.safetensors")
    arrays = load_file(tmp_path / "sums.safetensors")
    wrong = {
        "first.sums": np.zeros((3, 1)),
        "first.counts": np.array([-1, 1]),
        "classes": np.array([9]),
        "layer.weights": np.full((2, 1), np.nan),
    }
    for name, array in wrong.items():
        save_file(arrays | {name: array}, tmp_path / "wrong.safetensors")
        with pytest.raises(InputError, match="a file that Accumulator"):
            Accumulator.load(tmp_path / "wrong.safetensors")
    save_file(arrays | {"first.sums": np.full((2, 1), np.nan)}, tmp_path / "wrong.safetensors")
    with pytest.raises(InputError, match="NaN or infinity in sums"):
        Accumulator.load(tmp_path / "wrong.safetensors").next_pass()
    with pytest.raises(InputError, match="a file that Accumulator"):
        Accumulator.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize("missing_class", [0, 3, 6])
def test_rows_without_samples_are_left_out_of_what_compares_them_with_means(missing_class):
    features, labels, W, b = hard_case(K=7, d=6).arrays
    kept = labels != missing_class
    features, labels = features[kept], labels[kept]
    with pytest.raises(InputError, match=f"no sample of class {missing_class}"):
        measure(features, labels, W, b)
    with pytest.raises(InputError, match=f"no sample of class {missing_class}"):
        measure_batches([(features, labels)], weights=W, bias=b)
    found = measure(features, labels, W, b, missing="leave out")
    same(measure_batches([(features, labels)], weights=W, bias=b, missing="leave out"), found)
    others = np.delete(np.arange(7), missing_class)
    fewer = measure(features, np.searchsorted(others, labels), W[others], b[others])
    assert found.K == 6
    of_all_rows = {
        name
        for name, metric in METRICS.items()
        if name.startswith(("loss", "logodds", "margin", "accuracy", "nc4"))
        or not metric.needs_features
    }
    alike = {k: v for k, v in fewer.metrics.items() if k not in of_all_rows}
    assert {k: found.metrics[k] for k in alike} == pytest.approx(alike, rel=1e-12)
    logits = features @ W.T + b
    assert found.metrics["accuracy"] == np.mean(logits.argmax(axis=1) == labels)
    own = logits[np.arange(len(labels)), labels]
    losses = np.log(np.exp(logits - own[:, None]).sum(axis=1))
    assert found.metrics["loss.cross_entropy.samples"] == pytest.approx(losses.mean(), rel=1e-12)


def test_a_class_of_one_sample_has_no_variance_exactly():
    batches = [([[1e4 + 0.1, 3.0]], [0]), ([[7.0, 1 / 3]], [1]), ([[0.5, 1e-9]], [2])]
    found = measure_batches(batches, classes=3).metrics
    assert [found[k] for k in ("nc1.trace", "cdnv.max", "nc1.pinv", "nc1.spherical")] == [0] * 4


def test_features_of_a_class_that_are_equal_have_no_variance_exactly():
    rows = np.random.default_rng(0).normal(size=(3, 5)) + 1e4
    labels = np.tile([0, 1, 2], 7)
    found = measure_batches(parts_of(rows[labels], labels, 4), classes=3).metrics
    assert [found[k] for k in ("nc1.trace", "cdnv.max", "nc1.spherical")] == [0] * 3


@pytest.mark.parametrize("room", [1, 40, 300, 2**20])
def test_small_batches_are_gathered_whatever_their_sizes(room, monkeypatch):
    monkeypatch.setattr(gathered, "_ENTRIES", room)
    c = hard_case(**HARD["offset and collapse"])
    found, reused = Accumulator(weights=c.W, bias=c.b), np.empty(c.h.shape)
    for number in (1, 2):
        if number == 2:
            found.next_pass()
        for i, (h, y) in enumerate(parts_of(c.h, c.y, 9, seed=number)):
            batch = reused[: len(h)]
            batch[:] = h
            found.update(batch, y)
            batch[:] = np.nan
            found = pickle.loads(pickle.dumps(found))
            if i == 6:
                assert len(found.seen)
    same(found.compute(), measure(c.h, c.y, c.W, c.b))


def test_a_copy_has_no_room_for_batches_to_come():
    found = Accumulator(classes=2)
    found.update([[1.0], [2.0]], [0, 1])
    assert len(pickle.dumps(found)) < 10_000
    found.to_bytes()
    assert len(pickle.dumps(found)) < 10_000


def test_a_batch_of_another_type_keeps_its_digits():
    found, rows = Accumulator(classes=2), [[3], [-3], [5], [-1]]
    for number in (1, 2):
        if number == 2:
            found.next_pass()
        found.update(np.array(rows[:2], np.int8), [0, 1])
        found.update(np.array(rows[2:]) + 0.25, [0, 1])
    expected = measure([[3.0], [-3.0], [5.25], [-0.75]], [0, 1, 0, 1])
    same(found.compute(), expected)


def test_what_is_wrong_with_a_small_batch_is_said_at_once():
    found = Accumulator(classes=3)
    found.update([[1.0], [2.0]], [0, 1])
    with pytest.raises(InputError, match="labels"):
        found.update([[1.0]], [3])
    with pytest.raises(InputError, match="features"):
        found.update([[np.nan]], [1])
    with pytest.raises(InputError, match="features"):
        found.update([[1.0, 2.0]], [1])
    found.next_pass()
    with pytest.raises(InputError, match="labels"):
        found.update([[1.0], [2.0]], [0, 2])
    found.update([[1.0], [2.0]], [0, 1])
    assert found.compute("leave out").n == 2


@pytest.mark.parametrize("largest", [1.0, 1e-120])
def test_features_may_vanish_in_one_batch_but_not_in_all(largest):
    found = Accumulator(classes=2)
    found.update([[largest], [0.0]], [0, 1])
    found.update([[1e-120], [2e-120]], [0, 1])
    if largest == 1.0:
        found.next_pass()
    else:
        with pytest.raises(InputError, match="features"):
            found.next_pass()


@pytest.mark.parametrize(("offset", "noise"), [(3.0, 1.0), (1e4, 1e-9), (0.0, 1e-12)])
def test_compiled_loops_and_threads_give_what_the_formulas_give(offset, noise, monkeypatch):
    rng = np.random.default_rng(2)
    labels = rng.integers(6, size=900)
    W = rng.normal(size=(6, 80))
    features = offset + W[labels] + noise * rng.normal(size=(900, 80))
    compiled = measure(features, labels, W)
    monkeypatch.setattr(passes, "_COMPILED_FROM", np.inf)
    same(measure(features, labels, W), compiled)
    monkeypatch.setattr("ncbounds.measure.threads.thread_count", lambda: 3)
    same(measure(features, labels, W), compiled)
    monkeypatch.setattr(passes, "_COMPILED_FROM", 0)
    same(measure(np.asfortranarray(features), labels, W), compiled)


@pytest.fixture
def everywhere(monkeypatch):
    """Tensors on the host too take the way of tensors elsewhere."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(accumulator, "on_device", lambda x: isinstance(x, torch.Tensor))
    return torch


@pytest.mark.parametrize("case", HARD)
def test_tensors_elsewhere_are_measured_like_arrays(case, everywhere):
    features, labels, W, b = hard_case(**HARD[case]).arrays
    batches = [
        (everywhere.tensor(x), everywhere.tensor(y)) for x, y in parts_of(features, labels, 3)
    ]
    same(measure_batches(batches, weights=W, bias=b), measure(features, labels, W, b))
    once = {"weights": W, "passes": 1, "scatter": np.bincount(labels, minlength=len(W))}
    found = measure_batches(batches, **once).metrics
    assert far(found, {name: exact(case)[name] for name in OF_SCATTER}, rel=1e-10) == []


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int64"])
def test_no_update_waits_for_a_device(dtype):
    # A meta tensor has no values: whoever asks for one gets an error.
    torch = pytest.importorskip("torch")
    features, labels, W, b = hard_case().arrays
    found = Accumulator(weights=W, bias=b)
    found.update(features, labels)
    found.next_pass()
    fresh = Accumulator(weights=W, bias=b, scatter=[1, 2, 3, 4])
    batch = torch.empty(9, 6, dtype=getattr(torch, dtype), device="meta")
    for sums in (fresh, found):
        sums.update(batch, torch.zeros(9, dtype=torch.int64, device="meta"))
    with pytest.raises((NotImplementedError, RuntimeError), match="meta"):
        fresh.compute()


def test_what_is_wrong_on_a_device_is_said_when_the_sums_are_read(everywhere):
    labels = everywhere.tensor([0, 1])
    for row, index, parameter in (
        ([1.0, float("nan")], labels, "features"),
        ([1e200, 1.0], labels, "features"),
        ([1.0, 2.0], labels + 3, "labels"),
        ([1.0, 2.0], labels - 1, "labels"),
    ):
        found = Accumulator(classes=4)
        found.update(everywhere.tensor([[1.0, 2.0], [3.0, 1.0]]).double(), labels)
        found.update(everywhere.tensor([row, row], dtype=everywhere.float64), index)
        with pytest.raises(InputError) as caught:
            found.compute("leave out")
        assert caught.value.parameter == parameter


def given(**more):
    found = Accumulator(classes=3, **more)
    found.update([[1.0, 2.0], [3.0, 4.0]], [0, 1])
    return found


BAD = {
    "neither classes nor weights": ("classes", Accumulator),
    "a fraction of a class": ("classes", lambda: Accumulator(classes=2.5)),
    "no dimension": ("dimension", lambda: Accumulator(3, dimension=0)),
    "dimension beside other weights": (
        "dimension",
        lambda: Accumulator(None, np.eye(3), dimension=2),
    ),
    "one class": ("classes", lambda: Accumulator(classes=1)),
    "classes beside other weights": ("classes", lambda: Accumulator(3, np.eye(2))),
    "bias alone": ("bias", lambda: Accumulator(3, bias=np.ones(3))),
    "cold": ("temperature", lambda: Accumulator(3, temperature=0)),
    "other dimension": ("features", lambda: given().update([[1.0]], [0])),
    "not finite": ("features", lambda: given().update([[1.0, np.inf]], [0])),
    "label too large": ("labels", lambda: given().update([[1.0, 1.0]], [3])),
    "negative label": ("labels", lambda: given().update([[1.0, 1.0]], [-1])),
    "labels that are fractions": ("labels", lambda: given().update([[1.0, 1.0]], [0.5])),
    "empty batch": ("features", lambda: given().update(np.zeros((0, 2)), np.zeros(0, int))),
    "class without samples": ("labels", lambda: given().compute()),
    "no such choice": ("missing", lambda: given().compute("ignore")),
    "nothing yet": ("labels", lambda: Accumulator(3).compute()),
    "nothing for a second pass": ("labels", lambda: Accumulator(3).next_pass()),
    "merged with other classes": ("other", lambda: given().merge(Accumulator(4))),
    "a count of too few classes": ("scatter", lambda: Accumulator(3, scatter=[1, 2])),
    "counts that are fractions": ("scatter", lambda: Accumulator(3, scatter=[1.5, 2.0, 3.0])),
    "negative counts": ("scatter", lambda: Accumulator(3, scatter=[1, 2, -3])),
    "three passes": ("passes", lambda: measure_batches([([[1.0]], [0])], 2, passes=3)),
    "merged with a scatter": ("other", lambda: given().merge(Accumulator(3, scatter=True))),
    "merged with weights": ("other", lambda: given().merge(Accumulator(3, np.eye(3)))),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case):
    parameter, call = BAD[case]
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.parameter == parameter


def test_a_second_pass_of_other_samples_is_refused():
    found = given()
    found.next_pass()
    with pytest.raises(InputError, match="of a class without samples"):
        found.update([[1.0, 2.0]], [2])
    found.update([[1.0, 2.0]], [0])
    with pytest.raises(InputError, match="samples = 1 in the second pass"):
        found.compute("leave out")
    with pytest.raises(InputError, match="there is no third pass"):
        found.next_pass()
    with pytest.raises(InputError, match="in pass 1"):
        found.merge(given())
    other = given()
    other.update([[5.0, 5.0]], [0])
    other.next_pass()
    with pytest.raises(InputError, match="other class means"):
        found.merge(other)


def test_a_second_pass_of_other_features_is_refused_and_rounding_is_not():
    features, labels, W, b = hard_case().arrays
    rng = np.random.default_rng(3)
    for noise, refused in ((1e-7, False), (0.05, True)):
        found = Accumulator(weights=W, bias=b)
        found.update(features, labels)
        found.next_pass()
        found.update(features * (1 + noise * rng.normal(size=features.shape)), labels)
        if refused:
            with pytest.raises(InputError, match="switch off random augmentation"):
                found.compute()
        else:
            assert found.compute().metrics.keys() == measure(features, labels, W, b).metrics.keys()


def measured_by_two(rank, place, send=None):
    """What one of two processes measures, each of which sees some of the samples."""
    import torch.distributed as processes

    processes.init_process_group("gloo", init_method=f"file://{place}", rank=rank, world_size=2)
    features, labels, W, b = hard_case(offset=1e4).arrays
    # The first process alone sees the first class.
    mine = (labels == 0) | (np.arange(len(labels)) % 2 == 0)
    mine = mine if rank == 0 else ~mine
    found = Accumulator(weights=W, bias=b)
    for number in (1, 2):
        found.update(features[mine], labels[mine])
        found.all_reduce()
        if number == 1:
            found.next_pass()
    processes.destroy_process_group()
    if send is not None:
        send.send(found.compute())
    return found.compute()


def test_two_processes_measure_what_one_does(tmp_path):
    pytest.importorskip("torch")
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    other = context.Process(target=measured_by_two, args=(1, tmp_path / "meeting", send))
    other.start()
    found = measured_by_two(0, tmp_path / "meeting")
    assert receive.recv() == found
    other.join()
    same(found, measure(*hard_case(offset=1e4).arrays))


def test_float32_decides_no_nearest_mean_that_float64_may_decide_otherwise(monkeypatch):
    monkeypatch.setattr(passes, "_COMPILED_FROM", 0)
    rng = np.random.default_rng(6)
    means = 10 * rng.normal(size=(9, 12)) + 1e3
    # Across the line between two means, near the middle: closer than float32 can tell.
    one, other = (rng.permuted(np.tile(np.arange(9), (400, 1)), axis=1)[:, :2]).T
    h = (means[one] + means[other]) / 2
    h += rng.normal(scale=1e-9, size=(400, 1)) * (means[other] - means[one])
    h, y = np.vstack([h, 2 * means[one] - h]), np.r_[one, one]
    frame_means = np.array([h[y == c].mean(axis=0) for c in range(9)])
    h += (means - frame_means)[y]
    centred = h[:, None] - np.array([h[y == c].mean(axis=0) for c in range(9)])
    nearest = np.square(centred).sum(axis=2).argmin(axis=1)
    assert 0.1 < (nearest != y).mean() < 0.4
    assert measure(h, y).metrics["ncc.error"] == (nearest != y).mean()
