"""The examples of docs/measuring.md run, and print what stands there."""

import doctest
from pathlib import Path

import pytest

pytest.importorskip("torchmetrics")

PAGE = Path(__file__).parents[2] / "docs" / "measuring.md"


def test_the_examples_of_the_page_print_what_stands_there():
    failed, run = doctest.testfile(str(PAGE), module_relative=False)
    assert failed == 0 and run > 15
