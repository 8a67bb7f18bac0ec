"""Proximity to neural collapse from a near-optimal loss: the paper's route, and the sharp one."""
