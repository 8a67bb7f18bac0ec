"""Trained classifiers that ship in Python packages: their last layers, and real inputs for them."""
