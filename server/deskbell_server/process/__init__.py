"""One process from its start to its end: settings, parts, workers, logs."""
