"""Arrangements with proved optima: exact distances, certified distances, and errors noticed."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from ncbounds.codes import catalogue
from ncbounds.codes.catalogue import ExactRows, entries, family, known
from ncbounds.codes.lattices import leech_vectors
from ncbounds.codes.margin import least_one_vs_rest_distance

#: What the literature gives: (d, K, distance).
VALUES = [
    (3, 7, 0.7898616872693969),
    (3, 8, 0.7387961250362586),
    (3, 9, 0.6666666666666666),
    (3, 10, 0.5956056747837493),
    (3, 11, 0.552786404500042),
    (3, 12, 0.552786404500042),
    (3, 13, 0.4573635131703613),
    (3, 14, 0.4360496996394947),
    (3, 24, 0.27692153166649147),
    (4, 10, 0.8333333333333334),
    (4, 24, 0.5),
    (4, 120, 0.19098300562505258),
    (5, 16, 0.8),
    (6, 27, 0.75),
    (7, 56, 0.6666666666666666),
    (8, 240, 0.5),
    (21, 112, 0.8888888888888888),
    (21, 162, 0.8571428571428571),
    (22, 100, 0.9090909090909091),
    (22, 275, 0.8333333333333334),
    (22, 891, 0.75),
    (23, 552, 0.8),
    (23, 4600, 0.6666666666666666),
    (24, 196560, 0.5),
]
FAMILIES = [(1, 2), (1, 4), (2, 3), (2, 7), (3, 4), (5, 3), (3, 5), (4, 7), (6, 12), (2, 30)]
SMALL = [*FAMILIES, *((d, K) for d, K, _ in VALUES if K <= 56)]


def test_the_table_is_all_of_the_catalogue():
    assert [(d, K) for d, K, _ in VALUES] == entries()


@pytest.mark.parametrize("d, K, value", VALUES)
def test_the_exact_distance_is_that_of_the_coordinates_and_of_the_literature(d, K, value):
    entry = known(d, K)
    assert entry.check()
    assert abs(float(entry.one_vs_rest) - value) < 1e-14
    assert entry.optimal_by and entry.name


@pytest.mark.parametrize("d, K", SMALL)
def test_the_exact_distance_lies_in_the_certified_interval(d, K):
    entry = known(d, K)
    assert entry.check()
    low, high = least_one_vs_rest_distance(entry.points, normalise=True)
    # Rounded coordinates move a distance by a few units in the last place.
    assert low <= float(entry.one_vs_rest) + 4e-15
    assert high >= float(entry.one_vs_rest) - 4e-15
    assert high - low < 1e-12


@pytest.mark.parametrize("d, K", [(4, 10), (5, 16), (6, 27), (7, 56), (22, 100), (4, 120), (3, 12)])
def test_a_perturbed_entry_is_noticed(d, K):
    entry = known(d, K)
    exact = entry.exact
    moved = exact.rational.copy()
    moved[1, 0] += 1
    assert not dataclasses.replace(entry, build=lambda: _with(exact, moved)).check()
    twice = exact.rational.copy()
    twice[1] = twice[0]
    assert not dataclasses.replace(entry, build=lambda: _with(exact, twice)).check()
    fewer = dataclasses.replace(entry, build=lambda: _with(exact, exact.rational[:-1]))
    assert not fewer.check()
    assert not dataclasses.replace(entry, one_vs_rest=Fraction(1, 3)).check()


def _with(exact, rational):
    irrational = exact.irrational
    return ExactRows(
        rational, None if irrational is None else irrational[: len(rational)], exact.fixed
    )


@pytest.mark.parametrize("K", [7, 8, 9, 10, 13, 14, 24])
def test_a_perturbed_entry_in_space_is_noticed(K):
    entry = known(3, K)
    code = entry.exact
    twice = dataclasses.replace(code, rows=lambda t: [*code.rows(t)[1:], code.rows(t)[1]])
    longer = dataclasses.replace(code, rows=lambda t: [(0, 0, 1 + t), *code.rows(t)[1:]])
    off = dataclasses.replace(code, rows=lambda t: code.rows(t + 1e-30))
    for wrong in (twice, longer) if K in (9, 24) else (twice, longer, off):
        assert not dataclasses.replace(entry, build=lambda wrong=wrong: wrong).check()


def test_no_entry_where_nothing_is_proved():
    assert known(3, 15) is None and known(7, 60) is None and family(3, 7) is None


def test_shapes_of_the_leech_lattice_are_represented():
    shapes = [sorted(map(abs, leech_vectors()[k].tolist())) for k in (0, 1104, 98256)]
    assert [shape[-1] for shape in shapes] == [4, 2, 3]
    assert np.array_equal(known(24, 196560).exact.rational, leech_vectors())


def test_the_representatives_of_a_shape_stand_for_all():
    vectors = leech_vectors()
    whole = ExactRows(vectors[:1104])
    assert whole.largest_inner_product() == Fraction(1, 2)
    chosen = np.random.default_rng(0).choice(len(vectors), 40, replace=False)
    some = ExactRows(vectors, representatives=tuple(int(k) for k in chosen))
    assert some.largest_inner_product() == Fraction(1, 2)
    assert catalogue.known(24, 196560).one_vs_rest == Fraction(1, 2)
