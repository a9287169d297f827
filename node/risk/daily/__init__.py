"""The daily run over all customers: what has changed and why."""
