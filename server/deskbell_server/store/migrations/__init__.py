"""The schema's history, applied by whichever command comes first."""
