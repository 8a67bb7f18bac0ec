"""A counterexample is judged by its numbers alone."""

import json

import pytest

from ncbounds.errors import InputError
from ncbounds.report.recheck import recheck

FOUND = {
    "id": "bnwd:eq-17", "variant": "printed", "reading": "every gap", "type": "counterexample",
    "instance": {"C": "3", "t": "0", "gap": "1"}, "comparison": "logarithm of the sum",
    "relation": "<=", "lhs": "[1.43194562200 +/- 1.45e-12]",
    "rhs": "[1.38629436112 +/- 1.10e-13]", "bits": 128,
}  # fmt: skip


def test_a_true_one_holds_as_text_and_as_data():
    assert recheck(FOUND) and recheck(json.dumps(FOUND))


@pytest.mark.parametrize(
    "change",
    [
        {"instance": {"C": "3", "t": "0", "gap": "0"}},  # breaks nothing
        {"instance": {"C": "2", "t": "0", "gap": "1"}},  # not admitted
        {"instance": {"C": "3", "t": "0"}},
        {"lhs": "[1.5 +/- 1e-12]"},
        {"comparison": "another"},
        {"reading": "slope half way", "variant": "sharp"},
    ],
)
def test_a_false_one_fails(change):
    assert not recheck(FOUND | change)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "JSON"),
        ("[]", "without id"),
        ("{}", "without id"),
        (FOUND | {"id": "bnwd:eq-1700"}, "bnwd:eq-1700"),
        (FOUND | {"reading": "none"}, "a wording of bnwd:eq-17"),
        (FOUND | {"instance": []}, "instance"),
        (FOUND | {"instance": {"C": "three", "t": "0", "gap": "1"}}, "three"),
        (FOUND | {"instance": {"C": "3", "t": "1/0", "gap": "1"}}, "1/0"),
        (FOUND | {"bits": 10**9}, "bits"),
        (FOUND | {"bits": "many"}, "bits"),
    ],
)
def test_what_is_none_is_bad_input(data, words):
    with pytest.raises(InputError, match=words):
        recheck(data)
