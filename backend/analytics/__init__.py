"""The log as a whole: its search index, what became of the mail by day, and the desk of both."""
