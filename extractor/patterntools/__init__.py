"""Tools for the people who keep the patterns.

`facetcode patterns check`
    check.py      all of it; command.py prints
    layers.py     a pattern folder as it is; files.py the model of each file, its key, its order
    sheets.py, cells.py, tables.py, doubles.py    what is wrong in a CSV file, a cell, a TOML file, between rows
    behaviour.py, examples.py, idle.py            what rows do: when tried, in their examples, on the corpus
    findings.py   one thing to tell: file, row, what is wrong, how to mend it
`facetcode patterns try`
    trial.py      a note on its way through every room; trial_findings.py what is told of it
    trace.py, origin.py, discarded.py             the rooms asked, the rows that fired, what was left out and why
`facetcode patterns diff`
    diff.py       the notes that other rows would change; compare.py what differs; results.py earlier results
"""
