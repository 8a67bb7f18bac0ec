"""Settings of Hypothesis for all tests: the profile that HYPOTHESIS_PROFILE names, or "dev"."""

import os

from hypothesis import settings

from ncbounds.campaign.strategies import register_profiles

register_profiles()
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
