"""Structured documents as values: bytes in, frozen dataclasses out. Nothing here knows the ledger.

Every parser caps what it reads, resolves nothing outside the bytes, and says of each document or
entry that it cannot read which field it was; only what is no document at all is an error.
"""
