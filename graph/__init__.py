"""Keeps sealed things in Neo4j and finds them again. Never sees clear text, holds no key."""
