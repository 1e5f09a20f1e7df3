"""Adapters of the ports: `native` for CPython, `pyodide_*` for Pyodide."""
