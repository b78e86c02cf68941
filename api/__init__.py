"""The outer ring: HTTP, command line, exchange formats, settings, wiring. Decides nothing."""
