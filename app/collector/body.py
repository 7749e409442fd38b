"""The bytes of a request: read, unpacked, never more of them than the limits say.

Clients are careless about what they call their bytes, so only the bytes count: gzip is known by how it begins, and all else
is JSON, whatever its content type. Unpacking stops at the limit, so a small body that would unpack to gigabytes does not.
"""

import asyncio
import zlib

from aiohttp import ClientError, http_exceptions, web

from app.collector.budget import Hold
from app.web import Refusal

BYTES_MAX = 4 * 1024 * 1024
"""Of a body, as it comes and unpacked."""
MEMBERS_MAX = 100
"""Of a gzip body: files that were packed one by one and put together."""
SECONDS_MAX = 30.0
"""A body that takes longer to arrive is refused."""

GZIP = b"\x1f\x8b"
_GZIP_FORMAT = 31
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TOO_LARGE = f"a body has at most {BYTES_MAX} bytes, also unpacked; send fewer events at once"


async def read(request: web.BaseRequest, hold: Hold) -> bytes:
    """The JSON text of a request, in UTF-8 if the sender is right. Raises `Refusal`."""
    raw = await _received(request, hold)
    if raw.startswith(GZIP):
        raw = unpacked(raw)
        await hold.grow(len(raw))
    return raw.removeprefix(_BYTE_ORDER_MARK)


def unpacked(packed: bytes) -> bytes:
    """What gzip holds, of all its members. Raises `Refusal` where it is broken, or beyond BYTES_MAX."""
    found = bytearray()
    for _ in range(MEMBERS_MAX):
        member = zlib.decompressobj(_GZIP_FORMAT)
        try:
            found += member.decompress(packed, BYTES_MAX + 1 - len(found))
        except zlib.error as error:
            raise Refusal("bad_request", "the body begins like gzip and is none") from error
        if len(found) > BYTES_MAX:
            raise Refusal("too_large", _TOO_LARGE)
        if not member.eof:
            raise Refusal("bad_request", "the gzip body ends too early")
        packed = member.unused_data.lstrip(b"\0")
        if not packed:
            return bytes(found)
    raise Refusal("bad_request", f"a gzip body has at most {MEMBERS_MAX} members")


async def _received(request: web.BaseRequest, hold: Hold) -> bytes:
    if (request.content_length or 0) > BYTES_MAX:
        raise Refusal("too_large", _TOO_LARGE)
    try:
        if request.content.is_eof():  # it came with its head, as small bodies do
            return await _held(request.content.read_nowait(), hold)
        async with asyncio.timeout(SECONDS_MAX):
            chunks = await _chunks(request, hold)
    except TimeoutError:
        raise Refusal("not_ready", f"the body did not arrive within {SECONDS_MAX:.0f} s; send it again") from None
    except (ClientError, http_exceptions.HttpProcessingError, OSError) as error:
        raise Refusal("bad_request", "the body broke off; send it again") from error
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _chunks(request: web.BaseRequest, hold: Hold) -> list[bytes]:
    chunks: list[bytes] = []
    size = 0
    while chunk := await request.content.readany():
        size += len(chunk)
        if size > BYTES_MAX:
            raise Refusal("too_large", _TOO_LARGE)
        chunks.append(await _held(chunk, hold))
    return chunks


async def _held(chunk: bytes, hold: Hold) -> bytes:
    await hold.grow(len(chunk))
    return chunk
