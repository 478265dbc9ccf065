"""For the people who keep the patterns: try a phrase, and see the effect of rows before they go live."""
