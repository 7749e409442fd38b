"""The download cache: an entry is there completely or not at all."""

import threading
from pathlib import Path

import pytest

from app.cache import cache_directory, obtain


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    entry = obtain(tmp_path / "new" / "entry", lambda directory: (directory / "file").touch())
    again = obtain(entry, lambda _: pytest.fail("made again"))
    assert (again / "file").exists()


def test_what_fails_halfway_leaves_nothing(tmp_path: Path) -> None:
    def fail_halfway(directory: Path) -> None:
        (directory / "half").write_text("x")
        raise ConnectionError

    with pytest.raises(ConnectionError):
        obtain(tmp_path / "entry", fail_halfway)
    assert [file.name for file in tmp_path.iterdir()] == ["entry.lock"]


def test_what_a_killed_process_left_is_no_part_of_the_entry(tmp_path: Path) -> None:
    (tmp_path / "entry.unfinished").mkdir()
    (tmp_path / "entry.unfinished" / "half").write_text("x")
    entry = obtain(tmp_path / "entry", lambda directory: (directory / "whole").touch())
    assert [file.name for file in entry.iterdir()] == ["whole"]


def test_two_at_once_make_it_once(tmp_path: Path) -> None:
    made: list[Path] = []
    threads = [threading.Thread(target=obtain, args=(tmp_path / "entry", made.append)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({"XDG_CACHE_HOME": "/var/cache/me"}, Path("/var/cache/me/onetrail")),
        ({"XDG_CACHE_HOME": "relative is ignored"}, Path.home() / ".cache" / "onetrail"),
        ({}, Path.home() / ".cache" / "onetrail"),
    ],
)
def test_the_cache_is_the_users(environment: dict[str, str], place: Path) -> None:
    assert cache_directory(environment) == place
