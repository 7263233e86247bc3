"""The theorem book: numbered statements of papers as predicates on problems, points and sequences; one folder or file per paper."""
