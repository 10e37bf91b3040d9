"""A living, seeded world in the sandbox, and the ledger that audits it."""
