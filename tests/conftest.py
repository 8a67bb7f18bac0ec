"""Settings for all tests: the profile of Hypothesis, and no evidence from outside."""

import os

from hypothesis import settings

from ncbounds.campaign.strategies import register_profiles

register_profiles()
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
os.environ["NCBOUNDS_EVIDENCE"] = ""
