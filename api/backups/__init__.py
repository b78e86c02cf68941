"""Backups of a register: made, read back, restored into an empty graph, which serves nobody until it is up to date."""
