"""Evidence from outside: agencies' reports and entries of public lists, matched by identifier."""
