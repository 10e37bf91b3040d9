"""MIME in both directions: bytes to values and values to bytes. No I/O."""
