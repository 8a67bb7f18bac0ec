"""The command line as others call it: contracts of its output, exit statuses and refusals.

What is printed is printed by a process of its own; it costs half a second to seconds, so each
command runs once and tests share its result, and of the commands that tests use most the first is
such a process. Refusals, but one of each kind, and the exit status 1, since nothing of ours is
false, are provoked in this process.
"""

import csv
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from unittest import mock

import click
import numpy as np
import pytest
from click.testing import CliRunner

from ncbounds.cli import group, main
from ncbounds.theory.terms import (
    Claim,
    Comparison,
    Field,
    Judgement,
    Source,
    Statement,
    Variant,
)
from proofs_check.steps import Proof, Step

#: One process makes what these tests share.
pytestmark = pytest.mark.xdist_group("command_line")

CODE = "gnc:theorem-3.9"
LEMMA = "bnwd:lemma-2.1"
#: Two statements that are verified fast; printed variants of the first are refuted.
QUICK = ("square:eq-25", "square:property-2")
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "NO_COLOR")}


@dataclass(frozen=True)
class Ended:
    """What a process left behind."""

    status: int
    out: str
    err: str

    @property
    def data(self):
        assert (self.status, self.err) == (0, "")
        return json.loads(self.out)

    @property
    def refusal(self):
        """The one line of a refused command, checked to be one."""
        assert self.status == 2 and self.out == ""
        return refusal(self.err)


def refusal(line):
    """What a refused command says, checked to be one line."""
    assert line.startswith("ncbounds: ") and line.endswith("\n")
    assert line.count("\n") == 1 and line[:-1].isprintable()
    return line


#: Commands of which one process is enough, each with the arguments that came first.
FIRST = {"evaluate": None, "measure": None, "compare": None}


@cache
def ncbounds(*arguments):
    name = arguments[0] if arguments else ""
    if name in FIRST:
        FIRST[name] = FIRST[name] or arguments
        if FIRST[name] != arguments:
            return here(*arguments)
    command = [sys.executable, "-m", "ncbounds", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


def here(*arguments):
    """The same in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    digits, status = sys.get_int_max_str_digits(), 0
    with mock.patch.object(sys, "argv", ["ncbounds", *arguments]):
        try:
            with redirect_stdout(out), redirect_stderr(err):
                main()
        except SystemExit as stop:
            status = stop.code or 0
        finally:
            sys.set_int_max_str_digits(digits)
    for stream in (out, err):
        stream.seek(0)
    return Ended(status, out.read(), err.read())


def together(commands):
    """Run several commands at once; `ncbounds` remembers their results."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda arguments: ncbounds(*arguments), commands))


def evaluate(id, *assignments, options=("--json",)):
    given = [part for assignment in assignments for part in ("-p", assignment)]
    return ncbounds("evaluate", id, *given, *options)


def check_types(entry, types):
    for key, kinds in types.items():
        assert type(entry[key]) in kinds, f"{key} = {entry[key]!r}"


TEXT, TEXT_OR_NULL = (str,), (str, type(None))
WHOLE, NUMBER = (int,), (int, float)
NUMBER_OR_NULL, FLAG, FLAG_OR_NULL = (int, float, type(None)), (bool,), (bool, type(None))
LISTED, TABLE = (list,), (dict,)


# -- evaluate -------------------------------------------------------------------------------------

EVALUATION = {
    "id": TEXT,
    "variant": TEXT,
    "quantity": TEXT,
    "parameters": TABLE,
    "value": TEXT_OR_NULL,
    "radius": TEXT_OR_NULL,
    "digits": WHOLE,
    "in_domain": FLAG,
    "vacuous": FLAG_OR_NULL,
}


def test_evaluate_prints_the_json_of_the_contract():
    entries = evaluate(CODE, "d=3", "K=12").data
    for entry in entries:
        check_types(entry, EVALUATION)
        assert entry["id"] == CODE and entry["parameters"] == {"d": "3", "K": "12"}
        assert entry["digits"] == 15 and entry["in_domain"]
        assert float(entry["radius"]) < 1e-14 * abs(float(entry["value"]))
    sides = [(e["variant"], e["direction"], float(e["value"])) for e in entries]
    assert sides == [
        ("printed", "lower", pytest.approx(1 / 18, rel=1e-14)),
        ("printed", "upper", pytest.approx(2 / 3**0.5, rel=1e-14)),
        ("sharp", "lower", pytest.approx(1 / 6, rel=1e-14)),
        ("sharp", "upper", pytest.approx(2 / 3, rel=1e-14)),
        ("proved", "lower", pytest.approx(2 / 11, rel=1e-14)),
        ("proved", "upper", pytest.approx(1 - 5**-0.5, rel=1e-14)),
        *[("found", "value", pytest.approx(1 - 5**-0.5, rel=1e-14))][: len(sides) - 6],
    ]


def test_the_best_bounds_stand_beside_the_printed_ones():
    table = evaluate(CODE, "d=8", "K=240", options=()).out
    assert "Levenshtein" in table and "greedy code" in table
    assert "proved" not in evaluate(CODE, "d=8", "K=240", options=("--variant", "sharp")).out


def test_evaluate_gives_the_digits_and_the_variant_that_are_asked_for():
    options = ("--json", "--digits", "10000", "--variant", "sharp")
    lower, upper = evaluate(CODE, "d=3", "K=12", options=options).data
    assert lower["variant"] == upper["variant"] == "sharp"
    assert upper["digits"] == 10000 and upper["value"] == "0." + "6" * 9999 + "7"
    assert lower["value"] == "0.1" + "6" * 9998 + "7"


def test_evaluate_runs_over_lists_ranges_and_logarithmic_grids():
    options = ("--csv", "--variant", "sharp")
    done = evaluate(CODE, "d=3,5,9", "K=2:64:6:log", options=options)
    assert (done.status, done.err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    points = [(int(r["d"]), int(r["K"])) for r in rows if r["direction"] == "upper"]
    assert points == [(d, K) for d in (3, 5, 9) for K in (2, 4, 8, 16, 32, 64)]
    for row in rows:
        assert {*EVALUATION, "d", "K"} - {"parameters"} <= row.keys()
        assert row["in_domain"] == "True" and row["digits"] == "15"
        if (row["d"], row["direction"]) == ("3", "upper"):  # (4/K) times 2
            assert float(row["value"]) == pytest.approx(8 / int(row["K"]), rel=1e-14)


def test_a_range_has_equal_steps_and_a_log_grid_reaches_beyond_floats():
    entries = evaluate(LEMMA, "epsilon=1e-400:1e400:3:log", "delta=1/2", "m=1:2:3").data
    given = [(e["parameters"]["epsilon"], e["parameters"]["m"]) for e in entries]
    epsilons = ("1/1" + "0" * 400, "1", "1" + "0" * 400)
    assert given == [(epsilon, m) for epsilon in epsilons for m in ("1", "3/2", "2")]
    assert [e["value"][-5:] for e in entries[::3]] == ["e-200", "37310", "e+200"]


def test_a_table_is_plain_in_a_pipe():
    done = evaluate(CODE, "d=512", "K=1000000", options=())
    assert (done.status, done.err) == (0, "")
    assert "\x1b" not in done.out and "\r" not in done.out
    assert "0.469619266720105" in done.out and "vacuous" in done.out


@pytest.mark.parametrize("assignments", [("d=1", "K=10"), ("d=3", "K=0")])
def test_outside_the_domain_a_formula_without_value_gives_null(assignments):
    for entry in evaluate(CODE, *assignments).data:
        assert entry["in_domain"] is False and entry["digits"] == 0
        assert entry["value"] is entry["radius"] is entry["vacuous"] is None
        assert entry["outside"]


@pytest.mark.parametrize("delta", ["0", "-1/10", "1.5"])
def test_a_proportion_outside_its_interval_is_out_of_domain(delta):
    (entry,) = evaluate(LEMMA, "epsilon=0.1", f"delta={delta}", "m=1").data
    assert entry["in_domain"] is False and "delta" in entry["outside"]
    assert entry["value"] is None


def test_outside_the_domain_the_value_is_given_where_the_formula_has_one():
    lower, upper = evaluate(CODE, "d=5/2", "K=10", options=("--json", "--variant", "sharp")).data
    assert lower["in_domain"] is upper["in_domain"] is False
    assert 0 < float(lower["value"]) < float(upper["value"])


def test_one_class_is_out_of_domain():
    for entry in evaluate("bnwd:proposition-a.1", "C=1", "lambda=1/2").data:
        assert entry["in_domain"] is False and "C = 1" in entry["outside"]


def test_huge_dimensions_and_numbers_of_classes_are_no_trouble():
    for entry in evaluate(CODE, "d=1000000", "K=1e30").data:
        assert entry["in_domain"] and entry["digits"] == 15
        assert 0.49 < float(entry["value"]) < 2


def test_a_value_beyond_floats_has_its_exponent_and_logarithm():
    numbers = ("C=10", "alpha=1000", "beta=100", "kappa=1", "epsilon=1/10", "delta=1/10")
    printed = evaluate(
        "bnwd:theorem-2.1", *numbers, options=("--json", "--variant", "printed")
    ).data
    for entry in printed:
        assert entry["digits"] == 15 and entry["vacuous"] is True
        exponent = int(entry["value"].partition("e")[2])
        assert exponent > 200_000 and exponent == int(entry["log10"])


def test_parameters_of_thousands_of_digits_are_given_back_whole():
    options = ("--json", "--variant", "sharp")
    _, upper = evaluate(CODE, "d=3", "K=1e5000", options=options).data
    assert upper["parameters"]["K"] == "1" + "0" * 5000
    assert upper["value"] == "8.00000000000000e-5000"
    table = evaluate(CODE, "d=3", "K=1e5000", options=()).out
    assert "100000...(5001 digits)" in table and max(map(len, table.splitlines())) < 240


# -- list, show, verify ---------------------------------------------------------------------------

VERDICTS = {"proved", "refuted", "supported", "vacuous", "open"}
EVIDENCE = {"proof", "counterexample", "campaign", "experiment"}
STATEMENT = {
    "id": TEXT,
    "paper": TEXT,
    "locator": TEXT,
    "kind": TEXT,
    "title": TEXT,
    "variants": LISTED,
}
VARIANT = {
    "variant": TEXT,
    "reading": TEXT,
    "verdict": TEXT,
    "evidence": LISTED,
    "tightness": NUMBER_OR_NULL,
    "defect": TEXT_OR_NULL,
}
VERIFY = ("verify", *QUICK, "--budget", "0.3", "--seed", "7", "--json")
SHOW = ("show", QUICK[0], "--json")
LIST = ("list", "--paper", "square", "--kind", "property", "--json")


@pytest.fixture(scope="module", autouse=True)
def slow_commands():
    """Start what imports torch ahead of its test, several at once."""
    together([(*VERIFY, "--workers", "2"), VERIFY, (*VERIFY, "--workers", "1"), SHOW, LIST])


def check_statement(entry):
    check_types(entry, STATEMENT)
    for variant in entry["variants"]:
        check_types(variant, VARIANT)
        assert variant["verdict"] in VERDICTS
        assert {e["type"] for e in variant["evidence"]} <= EVIDENCE


def test_verify_prints_the_json_of_the_contract():
    entries = ncbounds(*VERIFY).data
    assert [e["id"] for e in entries] == list(QUICK)
    assert [e["kind"] for e in entries] == ["equation", "property"]
    for entry in entries:
        check_statement(entry)
        assert entry["paper"] == entry["id"].split(":")[0]


def test_a_refuted_printed_claim_is_a_result_with_exit_status_0():
    variants = ncbounds(*VERIFY).data[0]["variants"]
    refuted = [v for v in variants if v["verdict"] == "refuted"]
    assert refuted and {v["variant"] for v in refuted} == {"printed"}
    for variant in refuted:
        found = next(e for e in variant["evidence"] if e["type"] == "counterexample")
        assert found["instance"] and found["comparison"]


def test_the_same_command_and_seed_give_the_same_bytes():
    again = ncbounds(*VERIFY, "--workers", "1")  # which is the default for so little
    assert again.status == 0 and again.out == ncbounds(*VERIFY).out


def test_the_number_of_workers_does_not_change_the_ledger():
    assert ncbounds(*VERIFY, "--workers", "2").data == ncbounds(*VERIFY).data


def test_show_prints_one_statement_of_the_contract():
    entry = ncbounds(*SHOW).data
    check_statement(entry)
    assert entry["id"] == QUICK[0] and entry["locator"] == "(25)"


def test_show_prints_latex_without_verifying():
    done = ncbounds("show", CODE, "--latex")
    assert (done.status, done.err) == (0, "")
    assert r"\Gamma" in done.out and "\\[ " in done.out


def test_list_prints_the_statements_that_are_asked_for():
    entries = ncbounds(*LIST).data
    assert [e["id"] for e in entries] == ["square:property-1", "square:property-2"]
    for entry in entries:
        check_statement(entry)


# -- measure and compare --------------------------------------------------------------------------

METRICS = {
    *("nc1.pinv", "nc2.etf", "nc3.etf", "nc4.disagreement", "cdnv.mean"),
    *("cosine.intra.min", "cosine.intra.mean", "cosine.inter.max", "cosine.inter.mean"),
    *("gnc1", "gnc2", "gnc3", "alpha", "beta", "loss.cross_entropy"),
}
BOUND = {
    "id": TEXT,
    "variant": TEXT,
    "quantity": TEXT,
    "measured": NUMBER,
    "bound": NUMBER_OR_NULL,
    "direction": TEXT,
    "vacuous": FLAG_OR_NULL,
}


class Trap:
    """Unpickling this would leave a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def sample(n=12, d=4, K=3):
    """Arrays of a nearly collapsed model."""
    labels = np.arange(n) % K
    weights = 3 * np.eye(K, d)
    features = weights[labels] + np.random.default_rng(0).normal(size=(n, d))
    return {"features": features, "labels": labels, "weights": weights}


def spoilt(name, value, where=(2, 1)):
    arrays = sample()
    arrays[name][where] = value
    return arrays


def file_contents(executed):
    good = sample()
    features, labels, weights = good.values()
    return {
        "good": good,
        "no-weights": {"features": features, "labels": labels},
        "single-samples": {"features": features[:3], "labels": labels[:3], "weights": weights},
        "zero-feature": spoilt("features", 0, 0),
        "zero-features": {**good, "features": 0 * features},
        "one-dimension": {
            **good,
            "features": features[:, :1],
            "weights": np.array([[1.0], [2.0], [-3.0]]),
        },
        "nan": spoilt("features", np.nan),
        "infinity": spoilt("features", np.inf),
        "nan-weights": spoilt("weights", np.nan),
        "huge": {**good, "features": 1e120 * features},
        "empty": {**good, "features": features[:0], "labels": labels[:0]},
        "flat": {**good, "features": features[:, 0]},
        "narrow-weights": {**good, "weights": weights[:, :2]},
        "few-labels": {**good, "labels": labels[1:]},
        "real-labels": {**good, "labels": 1.0 * labels},
        "missing-class": {**good, "labels": labels % 2},
        "one-class": {"features": features, "labels": 0 * labels},
        "one-weight": {**good, "labels": 0 * labels, "weights": weights[:1]},
        "nameless": {"x": features},
        "pickle": {**good, "labels": np.array([Trap(executed)] * 12, dtype=object)},
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("files")
    for name, arrays in file_contents(place / "executed").items():
        np.savez(place / f"{name}.npz", **arrays)
    sound = (place / "good.npz").read_bytes()
    (place / "truncated.npz").write_bytes(sound[: len(sound) // 2])
    (place / "foreign.npz").write_bytes(b"hello")
    (place / "foreign.safetensors").write_bytes(b"hello" * 20)
    (place / "bare-pickle.npz").write_bytes(pickle.dumps(Trap(place / "executed")))
    (place / "model.pt").write_bytes(pickle.dumps(Trap(place / "executed")))
    return place


#: File, what its refusal must say, by `measure`.
REFUSED_FILES = [
    ("nan.npz", ("features", "NaN or infinity in row 2", "finite")),
    ("infinity.npz", ("features", "NaN or infinity in row 2", "finite")),
    ("nan-weights.npz", ("weights", "NaN or infinity in row 2", "finite")),
    ("huge.npz", ("features", "e+120", "between 1e-100 and 1e+100")),
    ("empty.npz", ("features", "shape (0, 4)", "n, d >= 1")),
    ("flat.npz", ("features", "shape (12,)", "(n, d)")),
    ("narrow-weights.npz", ("weights", "shape (3, 2)", "(K, 4)")),
    ("few-labels.npz", ("labels", "shape (11,)", "(12,)")),
    ("real-labels.npz", ("labels", "float64", "integers")),
    ("missing-class.npz", ("labels", "no sample of class 2", "3 rows of weights")),
    ("one-class.npz", ("labels", "one class (0)", "at least two classes")),
    ("one-weight.npz", ("weights", "shape (1, 4)", "K >= 2")),
    ("nameless.npz", ("nameless.npz", "'features' and 'labels'", "x (12, 4)")),
    ("pickle.npz", ("pickle.npz", "plain arrays")),
    ("bare-pickle.npz", ("bare-pickle.npz", "plain arrays")),
    ("truncated.npz", ("truncated.npz", "sound .npz")),
    ("foreign.npz", ("foreign.npz", "sound .npz")),
    ("foreign.safetensors", ("foreign.safetensors", "sound .safetensors")),
    ("model.pt", ("model.pt", "*.npz or *.safetensors")),
    ("none.npz", ("none.npz", "an existing file")),
]


@pytest.mark.parametrize(("name", "words"), REFUSED_FILES, ids=[name for name, _ in REFUSED_FILES])
def test_a_bad_file_is_refused_in_one_line(called, folder, name, words):
    done = called("measure", str(folder / name))
    assert (done.returncode, done.stdout) == (2, "")
    line = refusal(done.stderr)
    for word in words:
        assert word in line
    assert not (folder / "executed").exists()


def test_a_process_refuses_a_pickle_as_well(called, folder):
    line = ncbounds("measure", str(folder / "model.pt")).refusal
    assert line == called("measure", str(folder / "model.pt")).stderr
    assert not (folder / "executed").exists()


def test_measure_prints_the_json_of_the_contract(folder):
    found = ncbounds("measure", str(folder / "good.npz"), "--json").data
    check_types(found, {"n": WHOLE, "d": WHOLE, "K": WHOLE, "metrics": TABLE})
    assert (found["n"], found["d"], found["K"]) == (12, 4, 3)
    assert found["metrics"].keys() >= METRICS
    assert all(type(value) is float for value in found["metrics"].values())


def test_compare_prints_what_measure_does_and_the_bounds(folder):
    path = str(folder / "good.npz")
    found, measured = ncbounds("compare", path, "--json").data, ncbounds("measure", path, "--json")
    for key in ("n", "d", "K", "metrics"):
        assert found[key] == measured.data[key]
    for bound in found["bounds"]:
        check_types(bound, BOUND)
        assert bound["direction"] in ("upper", "lower")
    levels = {b["level"] for b in found["bounds"] if b["id"].startswith("bnwd:sharp")}
    assert {b["id"] for b in found["bounds"]} >= {"bnwd:theorem-2.1", "bnwd:sharp-1", CODE}
    assert levels == {"mean loss", "mean log-odds", "mean logits", "losses and weights"}


def test_compare_takes_a_bias_and_classes_of_unequal_size(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [2, 5, 9])
    weights = rng.normal(size=(3, 4))
    arrays = {
        "features": 2 * weights[labels] + 0.2 * rng.normal(size=(16, 4)),
        "labels": labels,
        "weights": weights,
        "bias": rng.normal(size=3),
    }
    np.savez(tmp_path / "unequal.npz", **arrays)
    path = str(tmp_path / "unequal.npz")
    found = ncbounds("compare", path, "--json").data
    assert "bias" in found["skipped"]["bnwd:theorem-2.1 (printed)"]
    sharp = [b for b in found["bounds"] if b["variant"] == "sharp" and b["id"] != CODE]
    signs = {"upper": 1, "lower": -1}
    beyond = [signs[b["direction"]] * (b["measured"] - b["bound"]) for b in sharp]
    assert len(sharp) > 20 and max(beyond) <= 1e-12
    assert not any(b["quantity"] == "nc2.gram" for b in sharp)  # there with no bias only
    assert "NOT" not in ncbounds("compare", path).out


def test_compare_without_weights_is_refused(folder):
    line = ncbounds("compare", str(folder / "no-weights.npz")).refusal
    assert "no-weights.npz" in line and "a file with weights" in line


def test_without_weights_measure_gives_what_features_alone_have(folder):
    metrics = ncbounds("measure", str(folder / "no-weights.npz"), "--json").data["metrics"]
    assert "nc1.pinv" in metrics and "nc3.etf" not in metrics


def test_classes_of_a_single_sample_are_fine(folder):
    found = ncbounds("compare", str(folder / "single-samples.npz"), "--json").data
    assert found["n"] == found["K"] == 3 and found["metrics"]["nc1.pinv"] == 0


def test_what_a_zero_feature_leaves_undefined_is_listed(folder):
    found = ncbounds("measure", str(folder / "zero-feature.npz"), "--json").data
    assert found["undefined"]["gnc3"] == "a feature is zero"
    assert "gnc3" not in found["metrics"] and "nc1.pinv" in found["metrics"]


def test_a_network_whose_features_are_all_zero_is_compared_where_it_can_be(folder):
    found = ncbounds("compare", str(folder / "zero-features.npz"), "--json").data
    assert {"nc1.pinv", "cosine.intra.min", "gnc3"} <= found["undefined"].keys()
    assert found["skipped"]


def test_one_dimension_leaves_the_bounds_that_need_two_out(folder):
    found = ncbounds("compare", str(folder / "one-dimension.npz"), "--json").data
    assert found["skipped"][CODE] == "the feature dimension is 1"
    assert CODE not in {b["id"] for b in found["bounds"]}


# -- refusals -------------------------------------------------------------------------------------

SIZES = ("-p", "d=3", "-p", "K=12")


def code(*arguments):
    return ("evaluate", CODE, *arguments)


#: Arguments, and what the one line must say: parameter, value, domain.
REFUSED = [
    (code("-p", "d=nan", "-p", "K=12"), ("d = nan", "a finite number")),
    (code("-p", "d=-inf", "-p", "K=12"), ("d = -inf", "a finite number")),
    (code("-p", "d=3", "-p", "K=1e999999"), ("K = 1e999999", "a finite number")),
    (code("-p", "d=3", "-p", "K=1/0"), ("K = 1/0", "a finite number")),
    (code("-p", "d=__import__('os')", "-p", "K=3"), ("d = __import__('os')", "a finite number")),
    (code("-p", "d=3\n4\x1b[31m", "-p", "K=3"), (r"d = 3 4\x1b[31m", "a finite number")),
    (code("-p", "d=3,", "-p", "K=12"), ("d = 3,", "commas")),
    (code("-p", "d=5:2:3", "-p", "K=12"), ("d = 5:2:3", "LOW <= HIGH")),
    (code("-p", "d=0:9:3:log", "-p", "K=12"), ("d = 0:9:3:log", "LOW > 0")),
    (code("-p", "d=2:9:0", "-p", "K=12"), ("d = 2:9:0", "COUNT in 1..1000000")),
    (code("-p", "d=2:9:10000000000000", "-p", "K=12"), ("d = 2:9:1", "COUNT in 1..1000000")),
    (code("-p", "d=2:999:998", "-p", "K=2:9999:9998"), ("9978004 points", "at most 1000000")),
    (code("-p", "d", "-p", "K=12"), ("-p = d", "NAME=VALUE")),
    (code("-p", "d=", "-p", "K=12"), ("-p = d=", "NAME=VALUE")),
    (code(*SIZES, "-p", "d=4"), ("d = 4", "given once")),
    (code(*SIZES, "-p", "Q=1"), ("Q = 1", "one of the parameters d, K")),
    (code(*SIZES, "-p", "variant=1"), ("variant = 1", "one of the parameters d, K")),
    (code("-p", "d=3"), ("K = missing", "number of classes")),
    (code(*SIZES, "--variant", "best"), ("variant = best", "one of printed, sharp")),
    (code(*SIZES, "--digits", "0"), ("digits = 0", "in 1..10000")),
    (code(*SIZES, "--digits", "1000000000"), ("digits = 1000000000", "in 1..10000")),
    (code(*SIZES, "--digits", "many"), ("--digits", "'many'", "integer")),
    (
        ("evaluate", "bnwd:proposition-a.1", "-p", "C=3", "-p", "lambda=1", "-p", "lambda_=2"),
        ("lambda = 2", "given once"),
    ),
    (("evaluate", "gnc:theorem-39", "-p", "d=3"), ("ID = gnc:theorem-39", f"mean {CODE}")),
    (("evaluate",), ("ID", "Missing")),
    (("show", "nothing"), ("ID = nothing", "ncbounds list")),
    (("verify", "nothing"), ("ID = nothing", "the id of a statement")),
    (("verify", "--paper", "arxiv"), ("paper = arxiv", "bnwd, review, square, gnc")),
    (("verify", CODE, "--paper", "bnwd"), (f"ID = {CODE}", "without --paper")),
    (("verify", CODE, "--budget", "nan"), ("budget = nan", "positive number of seconds")),
    (("verify", CODE, "--budget", "inf"), ("budget = inf", "positive number of seconds")),
    (("verify", CODE, "--workers", "0"), ("workers = 0", "at least 1")),
    (("verify", CODE, "--seed", "-1"), ("--seed", "-1", "x>=0")),
    (("list", "--kind", "hunch"), ("kind = hunch", "lemma")),
    (("list", "--verdict", "true"), ("verdict = true", "proved")),
    (("guess",), ("guess", "command")),
    (("evaluate", CODE, "--fast"), ("--fast",)),
]


@pytest.mark.parametrize(
    ("arguments", "words"), REFUSED, ids=[" ".join(a)[:60] for a, _ in REFUSED]
)
def test_bad_input_is_refused_in_one_line_with_exit_status_2(called, arguments, words):
    done = called(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    line = refusal(done.stderr)
    for word in words:
        assert word in line


@pytest.mark.parametrize("arguments", [REFUSED[0][0], REFUSED[-1][0]], ids=["number", "option"])
def test_a_process_refuses_with_the_same_line(called, arguments):
    assert ncbounds(*arguments).refusal == called(*arguments).stderr


def test_a_refusal_stays_short_whatever_it_quotes():
    assert len(evaluate(CODE, "d=3", f"K={'x' * 50_000}").refusal) < 1000


# -- exit status 1: something of ours does not hold -----------------------------------------------


def nothing_is_positive(xp, *, x):
    """A false claim: every positive number is at most zero."""
    return Judgement((), (Comparison("not positive", x, 0 * x),))


@pytest.fixture
def plant(monkeypatch):
    """Add a false claim of ours to the register; returns a function that runs the command line."""

    def run(variant, *proofs, command="verify", options=("--budget", "0.1")):
        planted = Statement(
            "gnc:remark-planted",
            "remark",
            "Nothing is positive",
            Source("gnc", "nowhere"),
            "planted",
            (
                Variant(
                    variant,
                    "every x",
                    "x <= 0",
                    Claim(nothing_is_positive, (Field("x", (), "positive"),)),
                ),
            ),
        )
        register = {(p.id, p.variant, p.reading): p for p in proofs}
        monkeypatch.setattr("ncbounds.theory.statements", lambda: {planted.id: planted})
        monkeypatch.setattr("ncbounds.report.verification.proofs", lambda: register)
        return CliRunner().invoke(group, [command, planted.id, *options])

    return run


@pytest.mark.parametrize("variant", ["corrected", "sharp"])
def test_a_refuted_variant_of_ours_is_a_fault_with_exit_status_1(plant, variant):
    done = plant(variant)
    assert done.exit_code == 1 and "refuted" in done.stdout and "\x1b" not in done.stdout
    assert done.stderr == (
        f"ncbounds: fault: gnc:remark-planted [{variant}, every x]: "
        f"the {variant} variant is refuted\n"
    )


def test_a_proof_that_fails_is_a_fault_with_exit_status_1(plant):
    def derive(claim):
        yield Step("zero is one", "exact arithmetic", holds=False, detail="0 = 1")

    done = plant("printed", Proof("gnc:remark-planted", "printed", "every x", (), derive))
    assert done.exit_code == 1 and "the proof fails at: zero is one (0 = 1)" in done.stderr


def test_the_same_claim_as_printed_is_no_fault(plant):
    done = plant("printed")
    assert (done.exit_code, done.stderr) == (0, "") and "refuted" in done.stdout


def test_show_tells_a_statement_and_its_counterexample_in_plain_text(plant):
    done = plant("printed", command="show", options=())
    assert (done.exit_code, done.stderr) == (0, "")
    assert "gnc:remark-planted  Nothing is positive" in done.stdout
    assert "printed (every x): refuted" in done.stdout and "fails at x = " in done.stdout
    assert "\x1b" not in done.stdout and "\r" not in done.stdout


# -- the program ----------------------------------------------------------------------------------


def test_help_names_the_program_and_needs_no_command():
    shown = ncbounds("--help")
    assert (shown.status, shown.err) == (0, "") and shown.out.startswith("Usage: ncbounds ")
    assert ncbounds() == shown
    for command in group.list_commands(click.Context(group)):
        assert f"  {command} " in shown.out


def test_the_console_script_is_the_same_program():
    script = shutil.which("ncbounds")
    if script is None:
        pytest.skip("ncbounds is not on the path")
    command = [script, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=True)
    assert done.stdout == ncbounds("--version").out


@pytest.mark.parametrize("options", [("--csv",), ("--json",), ()], ids=["csv", "json", "table"])
def test_a_reader_that_leaves_early_is_no_error(options):
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "ncbounds", *code(*SIZES, *options)]
    done = subprocess.run(
        command, stdout=write_end, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, check=False
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, "")
