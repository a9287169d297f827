"""SQL of the overview: what tells that it is behind, its figures, its lines, and lists of them."""
