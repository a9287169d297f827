"""财务报表: a customer's financial statements as evidence, their checks, ratios, trend, Altman."""
