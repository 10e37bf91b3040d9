"""The way out: accept, queue, send."""
