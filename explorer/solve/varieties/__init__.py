"""Positive-dimensional critical sets of polynomial losses: disjoint cells, strata along them, dimension and kind."""
