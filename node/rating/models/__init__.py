"""Statistical models: trained on the node's own ledger, kept in a registry, honestly validated."""
