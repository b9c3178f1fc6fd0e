"""Slow, obvious references in double precision. Tests use them; the product never does."""
