"""Layout rules (.tcss); colours are in themes/."""
