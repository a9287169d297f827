"""The statistical scorecard: a trained model as data, and how a customer is scored with it."""
