"""What clients say about answers, and the records of decisions that it belongs to. Off by default.

``decision_records.entry_of`` makes the record of a decision; ``feedback`` reads what ``POST /vibe/feedback`` sends, and
``feedback_endpoint.offer`` adds that path to LiteLLM's application.
"""
