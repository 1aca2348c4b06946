"""The command line of ./deploy.sh: one table of verbs, and a module for each that is more than a playbook."""
