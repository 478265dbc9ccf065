"""Audit checks: what auditors look for in a note, and billed lines held against what the note supports.

A note is coded as always; everything here reads the finished result and the text beside it, so that the coding itself
is neither slower nor different. `command.py` runs the whole; `checklist.py` checks one note, `compare.py` one claim.
"""
