"""What the bytes mean: pydantic bodies (frozen, strict, no extra members) and the JSON Schema generated from them."""
