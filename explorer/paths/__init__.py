"""Paths in a landscape, found by search: escaping to infinity, descending, connecting. Proposals only: the checker decides."""
