"""信用记录 What happened: customers, invoices, payments; ageing and behaviour derived from them. Records never leave this room."""
