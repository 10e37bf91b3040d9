"""The way in: sources, intake, parse, screen, match, route, deliver, settle."""
