"""Keeps sealed things in Neo4j and finds them again; never sees clear text, holds no key."""
