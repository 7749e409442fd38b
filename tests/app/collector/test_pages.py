"""What web pages fetch from the collector: the script, and the codeless rules as the configuration file has them now."""

import gzip
import logging
from pathlib import Path

import pytest

from app.collector.codeless import LOOK_SECONDS, Codeless
from app.collector.pages import SCRIPT
from app.config import load
from tests.app.collector.conftest import CONFIG, Door

PACKED_BYTES_MAX, LINES_MAX, LINE_LENGTH_MAX = 6_000, 300, 130
ORIGIN = {"Origin": "https://shop.example.com"}
RULE = """
[[codeless]]
event = "test_drive_click"
page = "/cars/*"
element = "#test-drive"
properties = { model = "@data-model" }
"""


async def test_a_page_of_any_origin_gets_the_script(door: Door) -> None:
    async with door.http.get(f"{door.url}/onetrail.js", headers=ORIGIN) as answer:
        assert answer.status == 200
        assert await answer.read() == SCRIPT.read_bytes()
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"]
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["Vary"] == "Origin, Accept-Encoding"


@pytest.mark.parametrize("path", ["/onetrail.js", "/v1/codeless?writeKey=key"])
async def test_a_browser_that_has_it_is_told_that_it_has_not_changed(door: Door, path: str) -> None:
    async with door.http.get(door.url + path) as answer:
        tag = answer.headers["ETag"]
    for known, status in ((tag, 304), (f'"other", W/{tag}', 304), ('"other"', 200)):
        async with door.http.get(door.url + path, headers={"If-None-Match": known}) as answer:
            assert (answer.status, answer.headers["ETag"]) == (status, tag)
            assert (await answer.read() == b"") == (status == 304)


async def test_the_script_goes_packed_to_who_reads_that(door: Door) -> None:
    for encoding, packed in (("gzip, br", True), ("identity", False)):
        async with door.http.get(
            f"{door.url}/onetrail.js", headers={"Accept-Encoding": encoding}, auto_decompress=False
        ) as answer:
            body = await answer.read()
            assert (answer.headers.get("Content-Encoding") == "gzip") == packed
            assert (gzip.decompress(body) if packed else body) == SCRIPT.read_bytes()


def test_the_script_is_small_and_can_be_read() -> None:
    lines = SCRIPT.read_text().splitlines()
    assert len(gzip.compress(SCRIPT.read_bytes(), mtime=0)) <= PACKED_BYTES_MAX
    assert len(lines) <= LINES_MAX
    assert [number for number, line in enumerate(lines, 1) if len(line) > LINE_LENGTH_MAX] == []


@pytest.mark.parametrize(("query", "status"), [("?writeKey=key", 200), ("?writeKey=other", 401), ("", 401)])
async def test_rules_are_for_pages_with_a_write_key(door: Door, query: str, status: int) -> None:
    async with door.http.get(f"{door.url}/v1/codeless{query}") as answer:
        assert answer.status == status
        assert (await answer.json() == {"rules": []}) == (status == 200)


async def test_what_pages_fetch_is_not_posted_to(door: Door) -> None:
    for path in ("/onetrail.js", "/v1/codeless"):
        assert (await door.post(path, {}))[0] == 405


class Clock:
    """Seconds that a test decides."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "rules.toml"
    written.write_text(CONFIG)
    return written


def test_rules_that_are_added_to_the_file_hold_within_a_second(file: Path) -> None:
    clock = Clock()
    codeless = Codeless(file, load(file).codeless, clock)
    file.write_text(CONFIG + RULE)
    assert codeless.document("web") == b'{"rules":[]}'
    clock.now += LOOK_SECONDS
    assert b"test_drive_click" in codeless.document("web")
    file.write_text(CONFIG)
    clock.now += LOOK_SECONDS
    assert codeless.document("web") == b'{"rules":[]}'


def test_a_bad_file_leaves_the_rules_as_they_were_and_is_told_of_once(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    file.write_text(CONFIG + RULE)
    codeless = Codeless(file, load(file).codeless, clock)
    for bad in (RULE.replace("#test-drive", "##"), "[[codeless", None):
        caplog.clear()
        file.write_text(CONFIG + bad) if bad else file.unlink()
        for _ in range(3):
            clock.now += LOOK_SECONDS
            assert b"test_drive_click" in codeless.document("web")
        (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert str(file) in line.getMessage()
        assert "\n" not in line.getMessage()
