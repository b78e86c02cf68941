"""Numbered steps of the graph's schema, as Cypher."""
