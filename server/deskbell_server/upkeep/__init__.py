"""What is done now and then: retention, keys that are too old, and the time by which they are."""
