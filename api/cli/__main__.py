"""`python -m api.cli`: how a parent starts its children with the very interpreter it runs in."""

from api.cli import main

main()
