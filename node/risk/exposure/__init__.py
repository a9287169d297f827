"""Exposure (信用敞口): orders, deliveries, invoices and bills of a customer, each thing once."""
