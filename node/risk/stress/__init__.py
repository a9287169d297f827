"""Stress: what would be if grades fell or customers failed, beside what is; nothing is kept."""
