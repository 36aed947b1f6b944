"""Measures Deskbell's server beside its peers; `benchmarks/run.py` is the command."""
