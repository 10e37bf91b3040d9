"""The HTTP API over the Backend facade."""
