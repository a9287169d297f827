"""Dunning 催收: levels as a policy, letters that a person releases, promises followed up."""
