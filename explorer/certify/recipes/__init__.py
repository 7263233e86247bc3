"""Recipes: explicit constructions of instances with certificates, one file per family."""
