"""What auditors ask: whether notes support what was billed, and whether a decision can be made again.

A note is coded as always; everything here reads the finished result and the text beside it, so that the coding itself
is neither slower nor different. `command.py` runs the audit: `checklist.py` checks one note, `compare.py` one claim.
`replay.py` makes results again; `differences.py` tells what differs.
"""
