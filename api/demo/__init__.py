"""The made-up register that ships with the project, for demonstrations. Nobody and nothing in it exists."""
