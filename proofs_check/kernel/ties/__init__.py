"""Which theorem stands for which wording: one module for each file of the development."""
