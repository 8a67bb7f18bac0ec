"""Unconstrained features: features that are free variables of the training problem."""
