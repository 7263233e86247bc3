"""Linear networks of any depth: closed forms without regularizer, orbits of the orthogonal groups with one ridge weight."""
