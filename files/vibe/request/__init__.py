"""Reading requests: one view of a request, whichever API and client sent it.

``request.read_request`` returns a ``request.Request``: the last human prompt, the turns around it, the kind of turn,
the client's explicit choice, the capabilities it needs, and the conversation it continues. Other packages also use
``websocket`` (the first message of a Responses WebSocket) and ``request_id``. Every reader accepts any JSON and raises
on none.
"""
