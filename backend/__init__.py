"""The backend of the Relay Console; this is its front door and nothing below it is public."""
