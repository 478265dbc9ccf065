"""Many notes: where they come from (sources), what is done with each (runner), where the results go (sinks)."""
