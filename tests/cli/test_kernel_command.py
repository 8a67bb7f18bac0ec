"""`ncbounds kernel`, and what other commands say of the kernel's theorems."""

import json
import shutil

import pytest

from proofs_check.kernel.build import certificate
from proofs_check.kernel.register import theorems
from proofs_check.kernel.statements import pinned

with_coq = pytest.mark.skipif(shutil.which("coqc") is None, reason="Coq is not installed")
#: One process compiles what these tests share.
pytestmark = pytest.mark.xdist_group("kernel")


def test_without_coq_it_says_in_one_line_how_to_install_it(called, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = called("kernel")
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert "apt-get install -y --no-install-recommends coq libcoq-interval" in ended.stderr


def test_without_coq_show_rests_on_python_and_says_what_would_raise_it(
    called, monkeypatch, tmp_path
):
    monkeypatch.setenv("PATH", str(tmp_path))
    told = called("show", "bnwd:corollary-a.1").stdout
    assert "proved" in told and "would be raised by: a theorem that Coq can check" in told


@with_coq
def test_the_table_has_every_theorem_and_no_fault(called, kernel_cache):
    ended = called("kernel")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(name in ended.stdout for name in pinned().theorems)
    assert f"{len(pinned().theorems)} theorems in" in ended.stdout
    table = called("kernel", "--markdown").stdout
    assert table.startswith(f"{len(pinned().theorems)} theorems in") and "| `Gap.v` |" in table
    data = json.loads(called("kernel", "--json").stdout)
    assert data["faults"] == [] and data["coq"]
    wordings = [one for theorem in data["theorems"] for one in theorem["stands_for"]]
    assert len(wordings) == len(theorems()) and all(one["holds"] for one in wordings)


@with_coq
def test_show_names_the_theorem_its_file_and_its_axioms(called, kernel_cache):
    called("kernel")
    told = called("show", "bnwd:lemma-2.1").stdout
    assert "kernel subset_mean_lemma" in told and "Convexity.v" in told
    assert "functional_extensionality_dep" in told and "strongly_convex m f ->" in told
    assert certificate() is not None and "would be raised" not in told
