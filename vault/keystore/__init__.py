"""The key store, one small database: keys, lookup tokens, deliveries, revisions, tombstones, leases, credentials.

The only package that speaks SQL. Everything that opens something is wrapped under the root key of one generation; a
process serves the generation it opened, and meeting another one is its end (`Unavailable`, code `generation.moved`).
"""
