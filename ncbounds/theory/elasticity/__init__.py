"""Locally elastic dynamics: features that drift by the influence of samples on each other."""
