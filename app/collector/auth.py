"""Who sends: a write key, which belongs to one channel.

`Authorization: Basic` with the key as user name, `writeKey` in the body, or `?token=`; the first of these that is given counts.
A write key stands in every page that is tracked, so it is no secret; it only says where an event belongs.
"""

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache

from aiohttp import web

from app.config import Channel, Config
from app.web import Refusal

IN_ADDRESS = ("token", "project")
"""Where Sensors' SDKs have it."""

_UNKNOWN = "send a write key of a channel: as the user name of Authorization: Basic, or as writeKey in the body"


class Keys:
    """The write keys of all channels."""

    def __init__(self, config: Config) -> None:
        self._channels: Mapping[str, Channel] = {key: one for one in config.channels.values() for key in one.write_keys}

    def in_header(self, request: web.BaseRequest) -> Channel | None:
        """The channel of the header's key; None without one. Raises `Refusal` (unauthorized) for an unknown one."""
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        return self._channel(_user_name(credentials))

    def in_body(self, key: object, request: web.BaseRequest) -> Channel:
        """The channel of the body's key, or else of the address's. Raises `Refusal` (unauthorized) for an unknown one."""
        return self._channel(next((given for given in (key, *map(request.query.get, IN_ADDRESS)) if given is not None), None))

    def _channel(self, key: object) -> Channel:
        found = self._channels.get(key) if isinstance(key, str) else None
        if found is None:
            raise Refusal("unauthorized", _UNKNOWN)
        return found


@lru_cache(maxsize=1_024)
def _user_name(credentials: str) -> str:
    """Senders are few, and each says the same every time."""
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return ""
