"""How risk is watched, as a policy of the store."""
