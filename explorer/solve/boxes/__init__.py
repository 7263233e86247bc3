"""Any smooth problem in a box: branch and prune, Krawczyk's test, strata of dead units. Floats decide in `arrays` only, outward rounded."""
