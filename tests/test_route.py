#!/usr/bin/env python3
"""Sends test requests through the gateway of a deployment, as a client does, and checks the answers.

    eval "$(./deploy.sh env)" && python3 tests/test_route.py [--json FILE] [--junit FILE] [--page FILE]

Needs Python 3.9 and `requests`, and runs under pytest too. The checks are in tests/deployed/routing.
They read OPENAI_BASE_URL (or ANTHROPIC_BASE_URL) and OPENAI_API_KEY (or ANTHROPIC_AUTH_TOKEN), or VIBE_ENV_FILE, a file
of `export NAME='value'` lines, as ./deploy.sh env prints them. They send about sixty requests of at most 16 output
tokens; --most-requests limits them.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "deployed"))

from routing.checks import *
from routing.suite import main

if __name__ == "__main__":
    sys.exit(main())
