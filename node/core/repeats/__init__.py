"""Requests that are sent again: one effect and the same answer, by their idempotency key."""
