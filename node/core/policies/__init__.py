"""Approved policies: versions as bytes, who wrote and who approved them, which one is active."""
