"""Many classes in few dimensions: Softmax codes, HardMax, generalised neural collapse."""
