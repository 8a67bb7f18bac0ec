"""Class-distance normalised variance, nearest class means, effective depth, transfer to classes."""
