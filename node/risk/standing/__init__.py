"""What stands against a customer at the moment of an order check."""
