"""The command line: one file for each group of commands; none of it needs a terminal to draw on."""
