"""The picture of the margin: what it draws, and what it refuses."""

import pytest

from ncbounds.errors import InputError

pytest.importorskip("matplotlib")

from ncbounds.report.margin_plot import plot_margin
from ncbounds.report.plots import pyplot, svg


def labels(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_it_draws_along_the_classes_on_two_logarithmic_axes():
    figure = plot_margin({"d": "3", "K": "4:200:8:log"})
    axes = figure.axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert "d = 3" in axes.get_title(loc="left")
    assert any("printed" in label for label in labels(figure))
    pyplot().close(figure)


def test_it_draws_along_the_dimension_as_in_figure_3():
    figure = plot_margin({"d": "2:64:8:log", "K": "100"})
    axes = figure.axes[0]
    assert axes.get_yscale() == "linear" and axes.get_ylim()[1] > 2
    assert svg(figure).startswith("<svg")


def test_the_optimum_lies_between_the_lines_that_bound_it():
    figure = plot_margin({"d": "4", "K": "5:40:6"})
    lower, upper = (line.get_ydata() for line in figure.axes[0].lines[4:6])
    assert all(a <= b for a, b in zip(lower, upper, strict=True))
    pyplot().close(figure)


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"d": "3", "K": "10"}, "-p"),
        ({"d": "2,3", "K": "10,11"}, "-p"),
        ({"d": "3"}, "K"),
        ({"d": "1,2,3", "K": "10"}, "d"),
        ({"d": "5/2", "K": "10,11"}, "d"),
        ({"d": "3", "K": "1,2"}, "K"),
        ({"d": "3", "K": "2:2000:1999"}, "K"),
        ({"d": "3", "K": "4,5", "tau": "1"}, "tau"),
    ],
)
def test_what_cannot_be_drawn_is_refused(parameters, name):
    with pytest.raises(InputError, match=f"^{name}"):
        plot_margin(parameters)
