"""The demo data: a row is a canonical event, and what is downloaded is the data set that is meant."""

import csv
import gzip
import json
import zipfile
from pathlib import Path

import pytest

from app import demo
from app.broker.errors import BrokerError
from app.config import load
from app.settings import PACKAGED_CONFIG

HEAD = "user_id,session_id,event,timestamp,platform,acquisition_channel,user_cohort,user_lifecycle"
ANONYMOUS = "user_0000,sess_000001,catalog,2024-03-13 10:21:14,desktop,email,2024-01,returning"
KNOWN = "user_0000,sess_000001,purchase,2024-03-13 10:41:00,mobile,email,2024-01,returning"


def row(line: str) -> dict[str, str]:
    return next(csv.DictReader([HEAD, line]))


def test_a_row_is_an_event_of_an_anonymous_session() -> None:
    event = demo.event_of(7, row(ANONYMOUS))
    assert (event.channel, event.key) == ("web", b"sess_000001")
    assert json.loads(event.value) == {
        "event_id": "ecom-00007",
        "event": "catalog",
        "occurred_at": "2024-03-13T10:21:14+08:00",
        "identifiers": {"anonymous_id": "sess_000001"},
        "properties": {"platform": "desktop", "acquisition_channel": "email"},
    }


@pytest.mark.parametrize("name", ["account_page", "shipping_details", "payment_details", "purchase"])
def test_where_a_shop_knows_its_customer_the_user_is_named(name: str) -> None:
    event = json.loads(demo.event_of(1, row(KNOWN) | {"event": name}).value)
    assert event["identifiers"] == {"anonymous_id": "sess_000001", "user_id": "user_0000"}
    assert event["traits"] == {"cohort": "2024-01", "lifecycle": "returning"}


@pytest.mark.parametrize("name", ["home", "cart", "wishlist_add", "support_chat", "payment_error"])
def test_elsewhere_it_is_not(name: str) -> None:
    event = json.loads(demo.event_of(1, row(KNOWN) | {"event": name}).value)
    assert event["identifiers"] == {"anonymous_id": "sess_000001"}
    assert "traits" not in event


def test_each_platform_is_a_channel_of_the_packaged_configuration() -> None:
    channels = {demo.event_of(1, row(KNOWN) | {"platform": platform}).channel for platform in ("desktop", "mobile", "tablet")}
    assert channels == {"web", "app", "mini_program"}
    assert channels <= set(load(PACKAGED_CONFIG).channels)


def test_rows_are_numbered_so_that_the_same_row_is_the_same_event(tmp_path: Path) -> None:
    file = tmp_path / "ecom.csv.gz"
    file.write_bytes(gzip.compress("\n".join([HEAD, ANONYMOUS, KNOWN]).encode()))
    first, again = list(demo.events(file)), list(demo.events(file))
    assert first == again
    assert [json.loads(event.value)["event_id"] for event in first] == ["ecom-00001", "ecom-00002"]


def test_another_file_is_not_the_data_set() -> None:
    with pytest.raises(demo.DemoError, match="another file: SHA-256"):
        demo.checked(b"user_id,session_id")


def test_the_package_is_unpacked_into_the_cache_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloads: list[list[str]] = []

    def download(command: list[str], what: str) -> None:
        downloads.append(command)
        directory = next(part for part in command if part.startswith("--dest=")).removeprefix("--dest=")
        with zipfile.ZipFile(Path(directory) / "retentioneering-5.2.4-py3-none-any.whl", "w") as wheel:
            wheel.writestr(demo.FILE, b"rows")

    monkeypatch.setattr(demo, "fetch", download)
    monkeypatch.setattr(demo, "checked", lambda content: content)
    assert demo.data_set(tmp_path) == demo.data_set(tmp_path)
    assert demo.data_set(tmp_path).read_bytes() == b"rows"
    assert len(downloads) == 1
    assert [file.name for file in (tmp_path / "retentioneering-5.2.4").iterdir()] == ["ecom.csv.gz"]


def test_without_network_it_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(command: list[str], what: str) -> None:
        raise BrokerError(f"{what}: no network")

    monkeypatch.setattr(demo, "fetch", fail)
    with pytest.raises(demo.DemoError, match=r"cannot be downloaded: pip download retentioneering==5\.2\.4: no network"):
        demo.data_set(tmp_path)
