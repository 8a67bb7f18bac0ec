"""The page is whole in itself, and the plots are drawn from evaluated bounds."""

import re
from dataclasses import replace

import numpy as np
import pytest

from ncbounds.errors import InputError
from ncbounds.report.model import Model
from ncbounds.report.page import page
from ncbounds.report.plots import plot_bounds, svg
from ncbounds.report.verification import verify

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("page")

#: Few statements that are verified fast: proofs, counterexamples, a definition.
IDS = ["bnwd:proposition-a.1", "square:eq-25", "bnwd:definition-cosine"]


@pytest.fixture(scope="module")
def models():
    rng = np.random.default_rng(0)
    simplex = np.eye(5) - 0.2
    labels = np.repeat(np.arange(5), 4)
    found = []
    for name, noise in (("tight", 0.05), ("loose", 0.6)):
        features = 3 * simplex[labels] + noise * rng.normal(size=(20, 5))
        facts = {"weight decay": "0.001"}
        found.append(Model(name, "batch norm", features, labels, 3 * simplex, None, facts))
    return found


@pytest.fixture(scope="module")
def ledger():
    return verify(IDS, budget=0.5)


@pytest.fixture(scope="module")
def html(models, ledger):
    return page(models, ledger, seed=0, seconds=1.0)


def test_the_page_is_self_contained(html):
    assert html.startswith("<!DOCTYPE html>")
    assert "<script" not in html and "@import" not in html
    assert not re.findall(r'(?:src|href)="(?!#)(?!http://www.w3.org)[^"]*"', html)
    assert len(html) < 5_000_000


def test_every_link_leads_to_a_statement_on_the_page(html):
    linked = set(re.findall(r"<a href=[\"']#([^\"']+)[\"']", html))
    assert linked == set(IDS)
    assert all(f'id="{id}"' in html for id in linked)
    assert "bnwd:theorem-2.1" in html  # named, but not on this page


def test_verdicts_counterexamples_and_proofs_are_shown(html):
    assert html.count("badge refuted") >= 4
    assert "Certified counterexample" in html and "&lambda;</var> = 1/2" in html
    assert "checked steps" in html and "<math" in html
    assert "None" not in re.sub(r"<svg.*?</svg>", "", html, flags=re.S)


def test_pictures_have_alternative_text(html):
    assert len(re.findall(r'<svg role="img" aria-label="[^"]{20,}"', html)) == html.count("<svg")


def test_what_a_model_is_called_is_escaped(models, ledger):
    m = models[0]
    text = page([replace(m, name="<b>x</b>")], ledger, seed=0, seconds=0.0)
    assert "<b>x</b>" not in text and "&lt;b&gt;x&lt;/b&gt;" in text


def test_a_plot_of_a_bound_needs_one_grid():
    figure = plot_bounds("gnc:theorem-3.9", {"d": "2:32:8:log", "K": "100"})
    assert "<svg" in svg(figure)
    with pytest.raises(InputError, match="exactly one parameter"):
        plot_bounds("gnc:theorem-3.9", {"d": "3", "K": "100"})
    with pytest.raises(InputError, match="exactly one parameter"):
        plot_bounds("gnc:theorem-3.9", {"d": "2,3", "K": "100,200"})


def test_the_same_plot_is_the_same_text():
    parameters = {"d": "2:32:8:log", "K": "100"}
    first = svg(plot_bounds("gnc:theorem-3.9", parameters))
    assert first == svg(plot_bounds("gnc:theorem-3.9", parameters))
