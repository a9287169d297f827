"""How well a model does on customers whose outcome is known: pure figures, no library."""
