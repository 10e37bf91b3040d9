"""Alembic migrations, shipped in the wheel and run at open."""
