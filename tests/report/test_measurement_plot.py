"""The picture of measurements: rows, curves, zeros, and what it says in words."""

import math

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.measure import METRICS, Measurement, measure

pytest.importorskip("matplotlib")

from ncbounds.report.measurement_plot import (
    describe_measurements,
    drawable,
    plot_measurements,
)
from ncbounds.report.plots import pyplot


def measured(**metrics):
    return Measurement(10, 4, 3, {k.replace("_", "."): v for k, v in metrics.items()})


NEAR = measured(nc1_pinv=1e-4, nc3_cosine=0.99, ncc_error=0.0)
FAR = measured(nc1_pinv=1.0, nc3_cosine=0.5, ncc_error=0.25)


def test_a_row_is_a_metric_and_a_mark_its_distance_from_collapse():
    figure = plot_measurements({"near": NEAR, "far": FAR})
    axes = figure.axes[0]
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert names == ["nc1.pinv", "1 - nc3.cosine", "ncc.error"]
    marks = [line.get_xdata()[0] for line in axes.lines if line.get_marker() != "None"]
    assert marks[:4] == pytest.approx([-4, 0, -2, math.log10(0.5)])
    assert marks[4] < -4  # zero has a place of its own, below every other distance
    assert "0" in [tick.get_text() for tick in axes.get_xticklabels()]
    pyplot().close(figure)


@pytest.mark.parametrize(("series", "places"), [(("1", "10"), [1, 10]), (("a", "b"), [0, 1])])
def test_curves_follow_numbers_to_scale_and_names_in_order(series, places):
    figure = plot_measurements(dict(zip(series, (FAR, NEAR), strict=True)), along="epoch")
    curve = figure.axes[0].lines[0]
    assert list(curve.get_xdata()) == places and list(curve.get_ydata()) == pytest.approx([0, -4])
    pyplot().close(figure)


def test_what_is_drawn_is_zero_at_collapse_and_above_it_elsewhere():
    etf, labels = 40 * (np.eye(4) - 1 / 4), np.arange(8) % 4
    noise = np.random.default_rng(0).normal(size=(8, 4))
    at = measure(etf[labels], labels, etf, temperature=1e-3)
    off = measure(etf[labels] + 90 * noise, labels, etf + 30 * noise[4:], temperature=1e-3)
    names = drawable([at])
    undirected = [n for n in METRICS if METRICS[n].direction == "neither"]
    assert {"margin.mean", "rank.means.stable", "cosine.means.max", *undirected}.isdisjoint(names)
    words = {
        of: dict(
            part.rsplit(" ", 1)
            for part in describe_measurements(found, names).split(": ", 1)[1].strip(".").split(", ")
        )
        for of, found in (("at", at), ("off", off))
    }
    assert len(words["at"]) == len(names) > 30
    for name, distance in words["at"].items():
        assert float(distance) == pytest.approx(0, abs=1e-5), name
    # Two samples of a class are as near to their mean as each other, and nearest to it here.
    still = [name for name, distance in words["off"].items() if float(distance) < 0.01]
    assert still == ["ncc.error", "ncc.error.balanced"]


def test_the_words_have_the_numbers():
    assert "far: nc1.pinv 1, 1 - nc3.cosine 0.5, ncc.error 0.25." in describe_measurements(
        {"far": FAR}
    )
    along = describe_measurements({"1": FAR, "2": NEAR}, along="epoch")
    assert "From epoch 1 to 2: nc1.pinv 1 to 0.0001" in along


@pytest.mark.parametrize(
    ("measurements", "options", "says"),
    [
        ({str(i): NEAR for i in range(7)}, {}, "measurements = 7 of them"),
        ({"1": NEAR}, {"along": "epoch"}, "two or more along epoch"),
        (NEAR, {"metrics": ["alpha"]}, "metrics = alpha"),
        (NEAR, {"metrics": ["gnc1"]}, "some that are defined"),
    ],
)
def test_what_cannot_be_drawn_is_refused(measurements, options, says):
    with pytest.raises(InputError, match=says):
        plot_measurements(measurements, **options)
