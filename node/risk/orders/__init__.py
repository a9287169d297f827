"""Sales orders (订单): what a customer has ordered and what of it is not delivered yet."""
