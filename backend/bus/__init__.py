"""Events told to the outside, from the transactional outbox."""
