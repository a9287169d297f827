"""What the rules and the detectors read of a customer, of many customers at once."""
