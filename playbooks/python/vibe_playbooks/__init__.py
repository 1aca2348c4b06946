"""What the playbooks derive from the inventory: topology, findings, and the rows of the status."""
