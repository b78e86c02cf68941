"""Seals, opens, looks values up by token, keeps the key store, signs. Never sees the graph."""
