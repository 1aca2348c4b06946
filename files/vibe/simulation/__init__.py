"""What a policy of moving conversations would cost. Not part of a release: it runs in the project's folder.

``synthetic_traffic.conversations`` generates traffic and ``router_log.read_records`` reads an operator's own;
``outcome.outcomes`` bills ``policies`` for it by the providers' rules (``billing``) at the prices of
``price_pairs``.
"""
