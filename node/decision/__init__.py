"""Credit decisions (授信决策): limit, terms, security; proposed by rules, approved by people."""
