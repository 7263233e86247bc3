"""Induced models (Kawaguchi, Huang, Kaelbling 2019): the gradient features of a network at a point, and what linear combinations of them can fit."""
