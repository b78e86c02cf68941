"""Folds, transliterates and compares names. Knows neither keys nor graph."""
