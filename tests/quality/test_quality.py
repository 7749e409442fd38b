"""Standardising and cleaning do what people who know the business expect, on a labelled sample."""

from pathlib import Path

import pytest

from models.cleaning import CATALOGUE
from tests.quality.__main__ import main
from tests.quality.measure import Quality, measure
from tests.quality.sample import sample

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def found() -> Quality:
    return measure()


def test_of_a_hundred_records_98_have_the_right_verdict_and_all_fields_right(found: Quality) -> None:
    assert found.accuracy >= 98, "\n".join(found.wrong)


def test_of_ten_missing_fields_that_records_tell_nine_are_filled(found: Quality) -> None:
    assert found.fewer_told >= 90
    assert found.fewer >= 80


def test_the_sample_has_valid_and_faulty_records_of_every_kind() -> None:
    reasons = [one.reason for one in sample()]
    assert len(reasons) >= 500
    assert 0.5 < reasons.count(None) / len(reasons) < 0.9
    assert {rule.reason for rule in CATALOGUE} | {"test_traffic"} <= set(reasons)
    assert {one.channel for one in sample()} == {"web", "app", "store", "crm"}
    assert sample() == sample()


def test_a_wrong_label_lowers_the_figure() -> None:
    mislabelled = [one._replace(reason="internal") if number % 10 == 0 else one for number, one in enumerate(sample())]
    assert measure(mislabelled).accuracy < 91


def test_the_readme_tells_these_figures(found: Quality) -> None:
    told = (ROOT / "README.md").read_text(encoding="utf-8")
    before, after = (100 * missing.total() / found.fields for missing in (found.before, found.after))
    for figure in (
        f"{found.records} records",
        f"{found.accuracy:.1f} % of the records",
        f"{before:.1f} %, {after:.1f} %",
        f"{found.fewer_told:.1f} % are",
    ):
        assert figure in told


def test_the_figures_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    assert " with the right verdict and all fields right: " in capsys.readouterr().out
