"""Policies administered: words for versions and differences, forms, commands, API."""
