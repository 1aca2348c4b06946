"""Mounted as httptools.py where LiteLLM serves as it comes: uvicorn then reads requests with h11."""

raise ImportError
