"""Parts of the built-in upstream; the door is stub_upstream.py beside this folder."""
