"""Unconstrained features of classes of unequal size: minority collapse."""
