"""信息共享 Consents, disclosure control, answers and asks, and the log they stand in."""
