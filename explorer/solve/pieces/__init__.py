"""Piecewise polynomial activations: cells, fans of hyperplanes, kinks; with and without ridge."""
