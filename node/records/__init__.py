"""信用记录 What happened: customers, invoices, payments, and what is derived from them.

Records never leave this room: later rooms read behaviour, peers a summary of it.
"""
