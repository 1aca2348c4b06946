"""Unpack a compressed request body (gzip, deflate, zstd), within a bound: a kilobyte can unpack to a gigabyte."""

from __future__ import annotations

import io
import zlib

from vibe.proxy.refusal import RefusedError
from vibe.proxy.request_check import TOO_LARGE
from vibe.telemetry.response_headers import printable

_ZSTD = "zstd"
_BY_ZLIB = frozenset(("gzip", "x-gzip", "deflate"))
# 32 more than the largest window: zlib tells gzip's header and its own apart (its manual, inflateInit2).
_ZLIB_WINDOW = zlib.MAX_WBITS + 32
# The window of zstd's --ultra levels is larger; clients compress with less (RFC 8878: decoders should support 8 MiB).
_ZSTD_WINDOW_BYTES = 8 * 1024 * 1024
_NONE = ("", "identity")


def unpacked(body: bytes, encoding: str, most: int) -> bytes:
    """Return *body* without its content-encoding, at most *most* bytes.

    Raises:
        RefusedError: the encoding is unknown (415), the body is not of it (400), or larger than *most* bytes (413).
    """
    name = encoding.strip().lower()
    if name in _NONE:
        return body
    try:
        if name in _BY_ZLIB:
            content = _inflated(body, most)
        elif name == _ZSTD:
            content = _zstd_decompressed(body, most)
        else:
            raise RefusedError(
                f"The request body has content-encoding {printable(name)}, which is not supported. "
                "Fix: send it as gzip, zstd or without compression.",
                status=415,
            )
    except (zlib.error, EOFError, ValueError):
        raise RefusedError(
            f"The request body cannot be unpacked as {name}. Fix: send it in the encoding that content-encoding names."
        ) from None
    if len(content) > most:
        raise RefusedError(
            f"The request body is larger than {most} bytes when it is unpacked (router_limits.unpacked_bytes). "
            "Fix: send less.",
            status=413,
            code=TOO_LARGE,
        )
    return content


def _inflated(body: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj(_ZLIB_WINDOW)
    content = unpacker.decompress(body, most + 1)
    if len(content) <= most and (not unpacker.eof or unpacker.unused_data):
        raise EOFError  # cut off, or followed by something else
    return content


def _zstd_decompressed(body: bytes, most: int) -> bytes:
    import zstandard  # part of the LiteLLM image

    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    try:
        with unpacker.stream_reader(io.BytesIO(body)) as reader:
            return reader.read(most + 1)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None
