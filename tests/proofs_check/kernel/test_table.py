"""What the documentation says of the development is what the development is."""

import re
from pathlib import Path

from proofs_check.kernel.build import sources
from proofs_check.kernel.table import about, rows

DOCUMENTED = Path(__file__).parents[3].joinpath("docs", "kernel.md").read_text("utf-8")


def test_the_documented_table_has_the_files_and_counts_of_the_development():
    lines = [line for line in DOCUMENTED.splitlines() if line.startswith("| `")]
    cells = [tuple(re.split(r" *\| *", line.strip("| "))) for line in lines]
    assert [(file.strip("`"), *rest) for file, *rest, _ in cells] == rows(sources())
    assert all(re.fullmatch(r"\d+\.\d s", seconds) for *_, seconds in cells)


def test_the_documented_counts_are_the_sums_of_the_table():
    files = rows(sources())
    total = sum(int(theorems) for _, _, theorems, _, _ in files)
    evaluated = sum(int(evaluated) for _, _, _, evaluated, _ in files)
    assert f"\n{total} theorems in {len(files)} files, compiled by Coq " in DOCUMENTED
    assert f" {evaluated} of them evaluated beside the claim, " in DOCUMENTED


def test_a_file_is_about_what_it_opens_with():
    assert about("(** Codes in\n    the plane: best. *)\n(** * More *)") == "Codes in the plane"
    assert about("(** The loss phi_M(t) = 0.5 t. Then *)") == "The loss phi_M(t) = 0.5 t"
