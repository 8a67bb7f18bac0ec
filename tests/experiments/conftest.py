"""What all tests of experiments share."""

import pytest

from experiments import running


@pytest.fixture(scope="session", autouse=True)
def _coarse_pictures():
    """Figures at few dots an inch: that they are drawn is tested, not how finely."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "DPI", 60)
        yield
