"""The addresses we must not send to."""
