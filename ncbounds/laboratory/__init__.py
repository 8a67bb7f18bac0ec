"""Numerical laboratories: solve, integrate, simulate, and certify a given point."""
