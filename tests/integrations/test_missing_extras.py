"""An extra that is not installed is named, with the way to install it."""

import importlib
import sys

import pytest

from ncbounds.errors import MissingDependencyError


@pytest.mark.parametrize("extra", ["torchmetrics", "lightning"])
def test_a_library_that_is_absent_is_named(extra, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == extra]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, extra, None)
    monkeypatch.delitem(sys.modules, f"ncbounds.integrations.{extra}", raising=False)
    with pytest.raises(MissingDependencyError, match=rf'pip install "ncbounds\[{extra}\]"'):
        importlib.import_module(f"ncbounds.integrations.{extra}")
