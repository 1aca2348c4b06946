"""What operators and clients read about a decision: metadata, response headers, log lines, metrics, spending.

``decision_metadata`` carries a decision through LiteLLM; ``response_headers`` and ``log_lines`` write it. ``metrics``
counts decisions for Prometheus, and ``metrics_server`` serves the counts from its own process. ``spending`` compares
what a request cost with what the strong pool would have.
"""
