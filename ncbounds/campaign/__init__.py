"""The search for counterexamples: degenerate and random instances, ascent, certification."""

from ncbounds.campaign.certify import Counterexample, check, refute
from ncbounds.campaign.search import Campaign, Effort, run_campaign

__all__ = ["Campaign", "Counterexample", "Effort", "check", "refute", "run_campaign"]
