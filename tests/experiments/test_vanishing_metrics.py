"""Each small network has the zeros it is made for, and no others."""

import csv

import pytest

from experiments.vanishing_metrics import COLUMNS, NETWORKS, main, table

NC1, NC2 = {"nc1.pinv", "nc1.trace", "cdnv.mean"}, {"nc2.etf", "nc2.equiangular", "nc2.equinorm"}
NC3 = {"nc3.etf", "nc3.distance", "nc3.distance.directions"}
NC4 = {"nc4.disagreement", "ncc.error"}

ZEROS = {
    "collapsed": NC1 | NC2 | NC3 | NC4,
    "variance across the class means": {"nc1.pinv"} | NC2 | NC3 | NC4,
    "class means almost on a line": NC4,
    "two class means nearly meet": {"nc4.disagreement"},
    "two classes, any means": NC1 | NC2 | NC4,
    "equal norms, no simplex": NC1 | NC4 | {"nc2.equinorm", "nc3.distance"}
    | {"nc3.distance.directions"},
    "weights dual to these": NC1 | NC4 | {"nc2.equinorm", "nc3.etf"},
    "weights with a part across": NC1 | NC2 | NC4 | {"nc3.etf"},
    "global mean without bias": NC1 | NC2 | NC3 | {"ncc.error"},
    "both rules wrong alike": NC2 | NC3 | {"nc4.disagreement"},
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_the_zeros_it_is_made_for_and_no_others(name):
    found = table()[name]
    assert {column for column in COLUMNS if found[column] == 0} == ZEROS[name]


def test_no_error_is_made_exactly_where_both_rules_are_right():
    for metrics in table().values():
        right = metrics["nc4.disagreement"] == metrics["ncc.error"] == 0
        assert (metrics["accuracy"] == 1) == right


def test_what_is_written_is_the_table(tmp_path, capsys):
    path = main(out=tmp_path, seed=0, device="cpu", progress=lambda done, total: None)
    with path.open() as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows[1:]] == list(NETWORKS)
    assert capsys.readouterr().out.count("\n") == len(NETWORKS) + 1
