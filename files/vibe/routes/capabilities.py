"""What a pool's models can do, as far as that is known.

Without model info a capability is unknown, which means able: a wrong "no" would send every such request to the
expensive pool.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vibe.request.required_capabilities import AUDIO, FILES, IMAGES, SCHEMA, TOOLS, Needs

# The keys of LiteLLM's model info.
CONTEXT_KEY = "max_input_tokens"
KEY_OF_KIND = {
    IMAGES: "supports_vision",
    AUDIO: "supports_audio_input",
    FILES: "supports_pdf_input",
    TOOLS: "supports_function_calling",
    SCHEMA: "supports_response_schema",
}
TOO_LONG = "so long a context"
# Tokens are estimated: a context counts as too long when it exceeds the limit by a tenth.
CONTEXT_MARGIN = 1.1


@dataclass(frozen=True)
class Capabilities:
    """``context``: input tokens that every model of the pool takes, None unknown; ``unable``: kinds that one cannot."""

    context: float | None = None
    unable: frozenset[str] = frozenset()

    def lacks(self, needs: Needs) -> list[str]:
        """Return the capabilities in *needs* that the pool lacks, as text; [] if none."""
        lacking = sorted(needs.kinds & self.unable)
        if self.context is not None and needs.tokens * CONTEXT_MARGIN + needs.answer > self.context:
            lacking.append(TOO_LONG)
        return lacking


UNKNOWN = Capabilities()


def capabilities_of(infos: Iterable[Mapping[str, object]]) -> Capabilities:
    """Return what a pool of models, of each its model info, can do: what each of them can."""
    context, unable = None, set()
    for info in infos:
        tokens = info.get(CONTEXT_KEY)
        if isinstance(tokens, int | float) and not isinstance(tokens, bool) and tokens > 0:
            context = tokens if context is None else min(context, tokens)
        unable |= {kind for kind, key in KEY_OF_KIND.items() if info.get(key) is False}
    return Capabilities(context, frozenset(unable))
