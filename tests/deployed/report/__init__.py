"""The report of a verification: one result model, and its output formats."""
