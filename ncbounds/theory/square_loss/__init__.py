"""Networks trained with the square loss: dynamics, collapse, rank."""
