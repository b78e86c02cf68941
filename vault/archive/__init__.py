"""The closed archive: removed records sealed to keys that the register itself does not hold (Wpg art. 14)."""
