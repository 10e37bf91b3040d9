"""Model values turned into rows and series; pure, tested without Textual."""
