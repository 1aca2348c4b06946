"""What the verification of a deployment leaves behind: one result model, and its faces."""
