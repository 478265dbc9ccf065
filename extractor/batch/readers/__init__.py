"""One small module for each input format; `items` says what a reader takes and gives, `streams` opens the files.

A reader is a function `read(source)` that yields items one by one; it may have a `check(source)` that raises
`InputError` before the first note is coded. `READERS` in `extractor.batch.sources` knows which suffix belongs to which
reader.
"""
