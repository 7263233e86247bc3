"""Exact engines behind plain data: fields, real roots, polynomial systems and their solutions, inertia, Krawczyk's test."""
