"""Machine-checked theory of neural collapse."""
