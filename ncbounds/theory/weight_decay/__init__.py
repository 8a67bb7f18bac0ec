"""What weight decay adds: the regularised objective, and `bnwd:theorem-2.2`."""
