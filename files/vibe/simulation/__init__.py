"""What a policy of moving conversations would have cost: made-up or recorded traffic, billed by the providers' rules.

Not part of a release: a host does without.
"""
