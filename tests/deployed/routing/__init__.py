"""The routing suite: test requests through the gateway, as a client sends them."""
