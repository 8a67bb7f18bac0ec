"""The tester of laws finds planted faults: each changes one line of the code that measures."""

import __future__

import inspect
import sys
import textwrap
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from metric_laws import (
    HARD,
    LAWS,
    SYMMETRIES,
    broken_laws,
    broken_symmetries,
    compiled,
    from_batches,
    in_memory,
    in_one_pass,
    inexact,
    of_tensors,
    wrong_absences,
    wrong_temperatures,
    wrong_values,
)

from ncbounds.measure import accumulator, geometry, metrics, moments, passes, threads

#: The checks of the tester, by kind.
CHECKS = {
    "values": wrong_values,
    "symmetries": lambda way: [m for s in SYMMETRIES for m in broken_symmetries(way, s)],
    "laws": lambda way: [m for law in LAWS for m in broken_laws(way, law)],
    "absences": wrong_absences,
    "temperatures": wrong_temperatures,
    "digits": lambda way: [m for hard in HARD for m in inexact(way, hard)],
}


@dataclass(frozen=True)
class Fault:
    function: Callable
    right: str
    wrong: str
    metric: str
    """A metric that shows it."""
    kinds: str
    """The kinds of checks of which each finds it in that metric."""


FAULTS = {
    "moments that are not centred": Fault(
        passes.add_to_first,
        "total.anchors[own[new]] = copy[new]",
        "pass",
        "cdnv.mean",
        "digits",
    ),
    "variances over n - 1": Fault(
        moments.variances_of,
        "first.squares / first.counts -",
        "first.squares / np.maximum(first.counts - 1, 1) -",
        "nc1.trace",
        "values symmetries laws digits",
    ),
    "covariance of class means over K - 1": Fault(
        moments.principal_directions,
        "len(means) / np.square",
        "(len(means) - 1) / np.square",
        "nc1.pinv",
        "values digits",
    ),
    "NC1 not over K": Fault(
        metrics._of_second_pass,
        "second.whitened / n / K",
        "second.whitened / n",
        "nc1.pinv",
        "values digits",
    ),
    "equal samples where classes should be equal": Fault(
        metrics._of_predictions,
        '"loss.cross_entropy": float((first.loss / n).mean())',
        '"loss.cross_entropy": float(first.loss.sum() / n.sum())',
        "loss.cross_entropy",
        "values laws digits",
    ),
    "a deviation of samples for one of a population": Fault(
        geometry.coefficient_of_variation,
        "lengths.std()",
        "lengths.std(ddof=1)",
        "nc2.equinorm",
        "values digits",
    ),
    "the norm of the first class for the mean norm": Fault(
        geometry.coefficient_of_variation,
        "lengths.mean()",
        "lengths[0]",
        "nc2.equinorm",
        "symmetries digits",
    ),
    "a class with itself among the pairs": Fault(
        geometry.over_pairs,
        "step = gram.size - len(gram)",
        "step = gram.size",
        "cosine.means.mean",
        "values digits",
    ),
    "an entropy in bits": Fault(
        geometry.rank_summary,
        "np.log(share)",
        "np.log2(share)",
        "rank.means.effective",
        "values digits",
    ),
    "rounding error that passes for rank": Fault(
        geometry.rank_summary,
        "max(rows.shape) *",
        "0 *",
        "rank.weights",
        "digits",
    ),
    "float32 sums": Fault(
        moments.add_by_class,
        "indicator @ values",
        "indicator @ values.astype(np.float32)",
        "nc1.spherical",
        "values symmetries",
    ),
    "a cut-off of the pseudo-inverse that is far too high": Fault(
        moments.frame_of,
        "cutoff = np.sqrt(K) * means.resolution",
        "cutoff = 0.9 * np.linalg.norm(means.centred)",
        "nc1.pinv",
        "digits",
    ),
    "a pseudo-inverse without cut-off": Fault(
        moments.principal_directions,
        "singular > cutoff",
        "singular > 0",
        "nc1.pinv",
        "digits",
    ),
    "a pseudo-inverse of the covariance": Fault(
        moments.principal_directions,
        "_, singular, directions = np.linalg.svd(means, full_matrices=False)",
        "values, vectors = np.linalg.eigh(means.T @ means); "
        "singular, directions = np.sqrt(abs(values[::-1])), vectors.T[::-1]",
        "gnc1",
        "digits",
    ),
    "deviations from means that were rounded": Fault(
        passes._second_rows,
        "h -= xp.take(frame.shifts, index, axis=0)",
        "h += frame.anchors[index]; h -= (frame.anchors + frame.shifts)[index]",
        "nc1.pinv",
        "digits",
    ),
    "rivals overlooked": Fault(
        moments.frame_of,
        "/ 4 * (1 - 1e-9)",
        "* 4",
        "ncc.error",
        "values digits",
    ),
    "predictions without the bias": Fault(
        passes._rivals_above_own,
        "products[0] += layer.bias",
        "pass",
        "margin.mean",
        "values laws digits",
    ),
    "directions of short features from deviations": Fault(
        moments.turn,
        "inverse > 2 * of_start",
        "inverse < 0",
        "gnc3",
        "digits",
    ),
    "the last block for all, merged": Fault(
        passes._predictions,
        "xp.minimum(least, xp.min(margins))",
        "xp.min(margins)",
        "margin.min",
        "digits",
    ),
    "labels in the order they came, merged": Fault(
        threads.in_threads,
        'np.argsort(short, kind="stable")',
        "np.arange(len(index))",
        "nc1.trace",
        "symmetries digits",
    ),
    "the largest for the least, in threads": Fault(
        threads._add_parts,
        "np.minimum if name in LEAST",
        "np.maximum if name in LEAST",
        "margin.min",
        "values digits",
    ),
    "a new anchor in every batch, of tensors": Fault(
        passes.add_tensors_to_first,
        "(first[index] == place) & (total.counts[index] == 0)",
        "first[index] == place",
        "nc1.trace",
        "digits",
    ),
    "an anchor forgotten, merged": Fault(
        moments.merge_first,
        'added["sums"] += n[:, None] * step',
        "pass",
        "nc1.trace",
        "values symmetries digits",
    ),
    "a cross term forgotten, merged": Fault(
        moments.merge_first,
        '2 * np.einsum("ij,ij->i", step, other.sums) +',
        "",
        "nc1.trace",
        "symmetries digits",
    ),
    "a scatter left about another anchor, in one pass": Fault(
        moments.merge_first,
        'added["scatter"] += cross + cross.swapaxes(1, 2)',
        "pass",
        "gnc1",
        "digits",
    ),
    "a block of classes on another's diagonal, in threads": Fault(
        geometry._distance_of_products,
        "np.arange(K)[rows]",
        "np.arange(len(difference))",
        "nc2.etf",
        "values digits",
    ),
    "blocks of classes with means of their own, in threads": Fault(
        geometry.over_pairs,
        "squares += (here - mean) ** 2 * count * step / (count + step)",
        "pass",
        "nc2.equiangular",
        "values digits",
    ),
    "the first rows for those of classes that have samples": Fault(
        metrics.evaluate,
        "W = layer.weights[rows]",
        "W = layer.weights[: len(rows)]",
        "nc3.etf",
        "absences",
    ),
    "places of classes among all, not among those that have samples": Fault(
        moments.frame_of,
        "places[rows] = np.arange(len(rows))",
        "places[rows] = np.minimum(rows, len(rows) - 1)",
        "ncc.error",
        "absences",
    ),
    "a temperature forgotten": Fault(
        passes._predictions,
        "gaps[1] / layer.temperature",
        "gaps[1]",
        "loss.cross_entropy.spherical",
        "temperatures",
    ),
    "directions left about another anchor, merged": Fault(
        moments.merge_first,
        'added["unit_sums"] += n[:, None] * turned',
        "pass",
        "gnc3",
        "values symmetries digits",
    ),
    "class means centred by the samples": Fault(
        moments.means_of,
        "from_first.mean(axis=0)",
        "first.counts @ from_first / first.counts.sum()",
        "nc2.equinorm",
        "values laws digits",
    ),
    "the nearest in angle for the nearest": Fault(
        passes._nearest,
        "nearness -= frame.half_squares",
        "nearness /= np.sqrt(frame.half_squares)",
        "ncc.error",
        "digits",
    ),
    "weights that are not centred beside class means": Fault(
        geometry.stacked_alignment,
        "wdot = weights - weights.mean(axis=0)",
        "wdot = weights - 0",
        "nc3.angle",
        "values laws digits",
    ),
    "a squared distance for a distance": Fault(
        geometry.cdnv_summary,
        "(2 * distances)",
        "(2 * np.sqrt(distances))",
        "cdnv.mean",
        "values laws digits",
    ),
    "an own cosine among those of the rivals": Fault(
        geometry.over_pairs,
        "gram[own] = -np.inf",
        "gram[own] = 1.0",
        "cosine.means.max",
        "values digits",
    ),
    "a ratio of means for a mean of ratios": Fault(
        metrics._of_predictions_beside_means,
        "(differing / n).mean()",
        "differing.mean() / n.mean()",
        "nc4.disagreement.balanced",
        "values",
    ),
}


def plant(monkeypatch, fault):
    """Exchange the words in the source of a function, wherever the package has it."""
    function = fault.function
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(fault.right) == 1, f"no fault of {function.__qualname__}: {fault.right}"
    flags = __future__.annotations.compiler_flag
    text = source.replace(fault.right, fault.wrong)
    found = {}
    exec(compile(text, "<fault>", "exec", flags), function.__globals__, found)
    places = [m for name, m in sys.modules.items() if name.startswith("ncbounds.measure")]
    for place in places:
        for name in [name for name, value in vars(place).items() if value is function]:
            monkeypatch.setattr(place, name, found[function.__name__])


#: By the last words of a fault, which way it is in.
WAYS_OF = {
    "merged": from_batches,
    "in threads": compiled,
    "of tensors": of_tensors,
    "in one pass": in_one_pass,
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found(monkeypatch, name):
    if name.endswith("tensors"):
        pytest.importorskip("torch")
    fault = FAULTS[name]
    plant(monkeypatch, fault)
    # Where passes disagree that would be said before there is any metric.
    monkeypatch.setattr(accumulator, "check_same_samples", lambda *given: None)
    way = WAYS_OF.get(name.rpartition(", ")[2], in_memory)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind in fault.kinds.split():
            assert fault.metric in CHECKS[kind](way), kind
