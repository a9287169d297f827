"""Runs over the whole portfolio: begun, interrupted, gone on with, and compared with each other."""
