"""Landscape -> CriticalSet: strategies in order, with coverage stated; see `explorer.solve.critical.critical_set`."""
