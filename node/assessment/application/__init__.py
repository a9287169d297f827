"""The credit application: what a customer asks for, and the documents that belong to it."""
