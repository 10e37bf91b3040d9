"""API keys: how they are made, kept and checked."""
