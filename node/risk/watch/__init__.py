"""The watch list: who is watched, since when, and how one leaves it."""
