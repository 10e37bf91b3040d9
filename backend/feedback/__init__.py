"""What SES reports about mail it has taken, and what follows from it."""
