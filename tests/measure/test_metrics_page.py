"""The table of docs/metrics.md is that of `METRICS`."""

from pathlib import Path

from ncbounds.measure import METRICS, Metric

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
OF_FEATURES = {"shift", "scale", "across", "sizes"}
OF_WEIGHTS = {"shared", "gain", "rows"}


def row(name: str, metric: Metric) -> str:
    """A line of the table: of what a metric is not made of, its blindness goes without saying."""
    towards = {"lower": "; lower is nearer", "higher": "; higher is nearer", "neither": ""}
    where = metric.zero or f"({metric.what}{towards[metric.direction]})"
    trivial = set() if metric.needs_weights else OF_WEIGHTS
    trivial |= set() if metric.needs_features else OF_FEATURES
    blind = ", ".join(change for change in metric.ignores if change not in trivial)
    return f"| `{name}` | {where} | {metric.source} | {blind} |".replace("  ", " ")


def test_the_page_has_a_row_for_every_metric():
    lines = PAGE.read_text(encoding="utf-8").split("## 7.")[1].splitlines()
    found = [line for line in lines if line.startswith("| `")]
    assert found == [row(name, metric) for name, metric in METRICS.items()]
