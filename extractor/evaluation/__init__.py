"""Evaluation against annotated corpora: formats, metrics, report. See `facetcode evaluate --help`."""
