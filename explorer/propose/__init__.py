"""Floating-point proposers: descents, Newton steps, triangular factors. What they return is a guess until a checker has it."""
