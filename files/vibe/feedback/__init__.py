"""Clients' feedback on answers, and the records of the decisions behind them. Off by default.

``decision_records.entry_of`` makes a decision's record; ``feedback`` reads the body of ``POST /vibe/feedback``, and
``feedback_endpoint.offer`` adds that path to LiteLLM's application.
"""
