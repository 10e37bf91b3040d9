"""The terminal console and command line for technicians."""
