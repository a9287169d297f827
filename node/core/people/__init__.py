"""People who look into a node: roles, tokens with scope and expiry, and the log of who looked."""
