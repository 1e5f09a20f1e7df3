"""Measures webrerank against its peers. Dev only: nothing of this is in dist/."""
