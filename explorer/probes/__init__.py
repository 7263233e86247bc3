"""Exact answers about one problem at given points: what the predicates of statements ask. Proposals; the checker decides."""
