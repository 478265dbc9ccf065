"""Tools for the people who keep the patterns: `facetcode patterns check` (see `check.py`).

findings.py   one thing to tell: file, row, what is wrong, how to mend it
files.py      the pattern files: the model of each, its key, how its phrases are looked up, its order
cells.py      what is wrong with one cell: stray blanks, what a spreadsheet does to it
sheets.py     a CSV file as rows, whatever was done to it
tables.py     a TOML file as data, and what is wrong with it
doubles.py    rows that stand twice, clash with others, or stand out of order
trials.py     does a row do what it says: in its example, in its counter-example
idle.py       rows that never match in a corpus
check.py      all of it
command.py    what the command prints
"""
