"""What the metrics of neural collapse are, and what it means that they vanish."""
