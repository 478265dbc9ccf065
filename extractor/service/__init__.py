"""`facetcode serve`: the HTTP service, and the decisions of reviewers that it keeps. Needs the extra `api`."""
