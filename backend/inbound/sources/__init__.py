"""Where inbound mail is announced; each yields arrivals."""
