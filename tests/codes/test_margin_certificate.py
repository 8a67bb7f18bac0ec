"""Certificates: what is stored is read again, what was tampered with fails."""

import ast
import dataclasses
import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ncbounds.codes import certificate
from ncbounds.codes.certificate import (
    certificate_arrays,
    check_margin,
    check_margins,
    margins_of_arrays,
)
from ncbounds.codes.margin import one_vs_rest_distances
from ncbounds.errors import InputError

ROWS = np.random.default_rng(0).normal(size=(12, 5))


def test_the_checker_shares_no_code_with_the_search():
    imported = {
        name
        for node in ast.walk(ast.parse(inspect.getsource(certificate)))
        if isinstance(node, ast.ImportFrom)
        for name in [node.module]
    }
    assert {name for name in imported if name.startswith("ncbounds")} == {
        "ncbounds.errors",
        "ncbounds.arithmetic",
    }


@pytest.mark.parametrize("normalise", [False, True])
def test_what_is_stored_is_read_again_and_holds(normalise):
    margins = one_vs_rest_distances(ROWS, normalise=normalise)
    again = margins_of_arrays(certificate_arrays(margins))
    assert [m.to_dict() for m in again] == [m.to_dict() for m in margins]
    assert all(check_margins(ROWS, again))


@pytest.mark.parametrize("normalise", [False, True])
@settings(max_examples=30, deadline=None)
@given(row=st.integers(0, 11), place=st.integers(0, 4), seed=st.integers(0, 99))
def test_whatever_is_tampered_with_fails(normalise, row, place, seed):
    margin = one_vs_rest_distances(ROWS, normalise=normalise, rows=[row])[0]
    assert check_margin(ROWS, margin)
    rng = np.random.default_rng(seed)
    noise = 1 + 1e-2 * rng.normal(size=len(margin.weights))
    turned = margin.direction.copy()
    turned[place] += 1e-2 * np.linalg.norm(turned)
    for wrong in (
        {"lower": margin.lower + 1e-9},
        {"upper": margin.upper - 1e-9},
        {"direction": turned},
        {"row": (row + 1) % 12},
        {"normalised": not normalise},
        {"support": np.full_like(margin.support, margin.support[0])},
        {"direction": np.append(margin.direction, 0.0)},
        {"weights": margin.weights * np.inf},
        {"weights": margin.weights[:-1]},
        *([{"weights": margin.weights * noise}] if len(noise) > 1 else []),
    ):
        assert not check_margin(ROWS, dataclasses.replace(margin, **wrong)), wrong


def test_a_row_that_moved_after_the_certificate_is_noticed():
    margins = one_vs_rest_distances(ROWS)
    moved = ROWS.copy()
    moved[3] *= 1 + 1e-9
    failed = [
        m.row for m, holds in zip(margins, check_margins(moved, margins), strict=True) if not holds
    ]
    assert 3 in failed and len(failed) < len(margins)


def test_a_twin_row_allows_no_positive_lower_end():
    margin = one_vs_rest_distances(ROWS)[2]
    twins = np.vstack([ROWS, ROWS[2]])
    assert not check_margin(twins, margin)
    moved = dataclasses.replace(margin, support=np.array([12]), weights=np.ones(1))
    assert not check_margin(twins, moved)
    assert check_margin(twins, dataclasses.replace(moved, lower=0.0, upper=0.0))


@pytest.mark.parametrize("offset", [0.0, 2.0**30])
def test_rows_that_floats_cannot_tell_apart_are_left_to_balls(offset):
    rows = np.array([[0.0, 0.0], [2.0**-10, 0.0], [1.0, 1.0], [-1.0, 2.0]]) + offset
    for margin in one_vs_rest_distances(rows):
        assert check_margin(rows, margin)
        wrong = dataclasses.replace(margin, lower=margin.lower * (1 + 1e-8))
        assert margin.lower == 0 or not check_margin(rows, wrong)


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("size", [2.0**-1000, 2.0**-600, 1.0, 2.0**600, 2.0**1000])
@pytest.mark.parametrize("scale", [2.0**-600, 1.0, 2.0**600])
def test_no_size_of_rows_or_direction_deceives_the_check(normalise, size, scale):
    margin = one_vs_rest_distances(ROWS, normalise=normalise)[1]
    ends = 1.0 if normalise else scale
    moved = dataclasses.replace(
        margin,
        direction=size * margin.direction,
        lower=ends * margin.lower,
        upper=ends * margin.upper,
    )
    assert check_margin(scale * ROWS, moved, precision=256)
    for wrong in ({"lower": moved.lower * (1 + 1e-9)}, {"direction": -moved.direction}):
        assert not check_margin(scale * ROWS, dataclasses.replace(moved, **wrong))


def test_a_row_of_zeros_is_checked():
    rows = np.vstack([ROWS, np.zeros(5), 1e-200 * ROWS[:1]])
    assert all(check_margins(rows, one_vs_rest_distances(rows), precision=2048))


@pytest.mark.parametrize("name", sorted(certificate_arrays(one_vs_rest_distances(ROWS))))
def test_arrays_that_are_no_certificate_are_refused_by_name(name):
    arrays = certificate_arrays(one_vs_rest_distances(ROWS))
    with pytest.raises(InputError, match=rf"^{name} = missing"):
        margins_of_arrays({key: array for key, array in arrays.items() if key != name})
    with pytest.raises(InputError, match=rf"^{name} = array"):
        margins_of_arrays({**arrays, name: np.array(["text"])})
    if arrays[name].ndim:
        with pytest.raises(InputError, match=r"^starts = "):
            margins_of_arrays({**arrays, name: arrays[name][:-1]})


@pytest.mark.parametrize("rows", [[1.0, 2.0], [["a"], ["b"]], [[np.nan], [1.0]]])
def test_rows_to_check_against_are_refused_by_name(rows):
    margin = one_vs_rest_distances(ROWS)[0]
    with pytest.raises(InputError, match=r"^weights = "):
        check_margin(rows, margin)
