"""Sending and receiving domains and the DNS records they need."""
