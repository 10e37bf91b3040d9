"""Counters turned into series for charts."""
