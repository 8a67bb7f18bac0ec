"""`ncbounds measure --list`: all that is known of every metric, in a table and as data."""

import json
from dataclasses import asdict

import pytest

from ncbounds.measure import HELD_OUT_METRICS, METRICS

KNOWN = METRICS | HELD_OUT_METRICS


def bare(text):
    """Without the breaks of lines and the spaces between columns."""
    return "".join(text.split())


def test_the_table_has_every_metric_in_order_with_formula_source_and_zero(called, monkeypatch):
    monkeypatch.setattr("ncbounds.cli.output._PIPE_WIDTH", 2000)  # nothing is wrapped
    done = called("measure", "--list")
    assert (done.returncode, done.stderr) == (0, "")
    first = [line.split()[0] for line in done.stdout.splitlines() if line.strip()]
    assert [word for word in first if word in KNOWN] == list(KNOWN)
    shown = bare(done.stdout)
    for metric in KNOWN.values():
        for told in (metric.what, metric.formula, metric.source, metric.zero):
            assert bare(told) in shown


def test_the_data_are_those_of_the_module(called):
    done = called("measure", "--list", "--json")
    assert done.returncode == 0
    data = json.dumps({name: asdict(m) for name, m in KNOWN.items()})
    assert json.loads(done.stdout) == json.loads(data)


@pytest.mark.parametrize("words", [("--list", "a.npz"), ("--list", "--temperature", "2"), ()])
def test_either_a_file_is_measured_or_the_metrics_are_listed(called, words):
    done = called("measure", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--list" in done.stderr and done.stderr.count("\n") == 1
