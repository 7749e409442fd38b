"""The language of histories."""

import pytest

from models.notation import Line, read


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("t2 web user_id:a", Line("event", "e2", 2000, ("user_id:a",), "web")),
        (
            "t2 web anonymous_id:c user_id:a page_viewed /pricing",
            Line("event", "e2", 2000, ("anonymous_id:c", "user_id:a"), "web", "page_viewed", "/pricing"),
        ),
        ('t0 store phone:"138 0013 8000"  # a visit', Line("event", "e0", 0, ("phone:138 0013 8000",), "store")),
        (
            "t0 web user_id:a at=1970-01-01T00:00:01.5Z id=x seen",
            Line("event", "x", 1500, ("user_id:a",), "web", written="1970-01-01T00:00:01.5Z"),
        ),
        ("t3 unlink user_id:a phone:1", Line("unlink", "r3", 3000, ("user_id:a", "phone:1"))),
    ],
)
def test_a_line_says_what_happens(text: str, line: Line) -> None:
    assert read(f"\n# a history\n{text}\n") == (line,)


@pytest.mark.parametrize("text", ["t1 web", "one web user_id:a", 't1 web "user_id:a', "t1 web user_id:a at=soon"])
def test_a_line_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"line 1|quotation"):
        read(text)
