"""Rademacher complexity of networks, and the error bounds that rest on it."""
