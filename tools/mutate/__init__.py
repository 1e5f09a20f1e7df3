"""Mutation testing: small changes of the product, each of which some test must notice."""
