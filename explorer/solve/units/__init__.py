"""Exponential-class and analytic units without regularizer: effective networks, duplicated and switched-off units, exact fits."""
