"""Losses in one weight: every critical point on the line, kinks and both ends included."""
