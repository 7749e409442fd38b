"""Pages that say why there is nothing to see: for every fault, in every language, without a worker's rows."""

from typing import Any

import pytest

from app.console.numbers import Speed
from app.console.rendering import html
from app.console.texts import HTML_LANG, LANGUAGE, LANGUAGES
from app.web import STATUS
from models.masking import CLEAR


def page(template: str, language: str, **context: Any) -> str:
    text = LANGUAGE[language]
    known: dict[str, Any] = {
        "t": text,
        "lang": HTML_LANG[language],
        "languages": LANGUAGES,
        "caller": None,
        "csrf": "",
        "mask": CLEAR,
    }
    answer = html(template, here="/console/", query=[("id", "a b&<")], **known, **context)
    assert answer.text is not None
    return answer.text


@pytest.mark.parametrize("language", LANGUAGE)
@pytest.mark.parametrize("code", sorted(STATUS))
@pytest.mark.parametrize("template", ["fault.html", "part_fault.html"])
def test_every_fault_has_its_words(template: str, code: str, language: str) -> None:
    shown = page(template, language, code=code, message="<i>the reason</i>")
    assert LANGUAGE[language](f"fault.{code}") in shown
    assert "<i>" not in shown
    assert ("&lt;i&gt;the reason" in shown) != (code == "not_ready")


def test_a_page_whose_data_moves_asks_again_by_itself() -> None:
    assert 'http-equiv="refresh" content="2"' in page("fault.html", "en", code="not_ready", message="")
    assert "http-equiv" not in page("fault.html", "en", code="not_found", message="")


def test_a_page_says_its_language_and_offers_the_other_for_the_same_page() -> None:
    shown = page("sign_in.html", "zh", target="/console/", failed=False)
    assert '<html lang="zh-CN">' in shown
    assert 'href="/console/?id=a+b%26%3C&amp;lang=en" lang="en"' in shown


@pytest.mark.parametrize(("language", "said"), [("en", "nothing was measured yet"), ("zh", "尚无测量数据")])
def test_the_house_says_in_words_that_nothing_was_measured(language: str, said: str) -> None:
    status = {"settled": True, "lag": {}, "workers": [], "frozen_clusters": 0, "oldest_unsettled_merge": None, "events": 0}
    seen, unseen = Speed(1_200, 0.005, 0.025), Speed(0, None, None)
    house = {"status": {**status, "rejected": {}}, "took_ms": 1, "rate": None, "rates": [], "waiting": []}
    shown = page("part_house.html", language, house={**house, "visible": unseen, "lookups": seen})
    assert shown.count(said) == 1
    assert "1,200" in shown
