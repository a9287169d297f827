"""Checks of orders (订单信用检查): what they find, what they hold, and who releases it."""
