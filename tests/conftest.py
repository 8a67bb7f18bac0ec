"""Settings for all tests, no evidence from outside, and the command line within this process."""

import os
import sys
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import providers

from ncbounds.campaign.strategies import register_profiles
from ncbounds.cli import main

register_profiles()
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
os.environ["NCBOUNDS_EVIDENCE"] = ""
#: Where theorems of the kernel are kept compiled; tests that want them say so. The first process
#: looks, and those that it starts are told, since they find the name emptied.
_NAME = "NCBOUNDS_TESTS_KERNEL_CACHE"
KERNEL_CACHE = os.environ.setdefault(_NAME, os.environ.get("NCBOUNDS_CACHE", "the user's"))
os.environ["NCBOUNDS_CACHE"] = ""
if hasattr(providers, "_get_local_constants"):
    # Or Hypothesis draws constants from the modules that happen to be loaded, and what a test
    # draws depends on the tests before it in its process.
    _none = providers.Constants()
    providers._get_local_constants = lambda: _none


@dataclass(frozen=True)
class Ended:
    """What a call left behind, under the names of `subprocess`."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def called(monkeypatch, capsys):
    """Run ``ncbounds ARGUMENTS``, in a folder where one is given; errors are told as users see."""

    def run(*arguments, cwd=None):
        monkeypatch.setattr(sys, "argv", ["ncbounds", *arguments])
        if cwd is not None:
            monkeypatch.chdir(cwd)
        digits, status = sys.get_int_max_str_digits(), 0
        try:
            main()
        except SystemExit as stop:
            status = stop.code or 0
        finally:
            sys.set_int_max_str_digits(digits)
        return Ended(status, *capsys.readouterr())

    return run


@pytest.fixture
def kernel_cache(monkeypatch):
    """The user's own cache of compiled theorems, so that they are compiled once."""
    if KERNEL_CACHE == "the user's":
        monkeypatch.delenv("NCBOUNDS_CACHE")
    else:
        monkeypatch.setenv("NCBOUNDS_CACHE", KERNEL_CACHE)
