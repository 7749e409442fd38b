"""Progress, where there is no terminal: a plain line now and then, and one at the end."""

import pytest

from app.commands import progress


def shown(capsys: pytest.CaptureFixture[str], *reports: tuple[int, float]) -> list[str]:
    with progress.meter("web") as meter:
        for events, part in reports:
            meter.report(events, part)
    return capsys.readouterr().err.splitlines()


def test_the_end_is_always_shown(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = shown(capsys, (0, 0.0), (500, 0.5), (1000, 1.0))
    assert line.startswith("replay: 1,000 events (100%), ")
    assert line.endswith("0 s left")


def test_between_there_is_a_line_every_few_seconds(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    assert len(shown(capsys, (0, 0.0), (500, 0.5), (1000, 1.0))) == 3


def test_what_an_earlier_run_sent_does_not_count_for_the_rate(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = shown(capsys, (1_000_000, 0.9), (1_000_001, 1.0))
    assert int(line.split(", ")[1].removesuffix("/s").replace(",", "")) <= 1_000
