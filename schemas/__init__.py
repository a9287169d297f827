"""What the bytes mean: pydantic bodies, frozen and strict, and the JSON Schema of them."""
