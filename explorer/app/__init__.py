"""What people touch: the command line, the REPL, the tour, the cases, displays, and the pytest plug-in.

This layer computes nothing: it reads input, calls one verb, and shows what came back with its word of trust.
"""
