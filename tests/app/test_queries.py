"""What may be asked of a journey, and the sentence for what may not."""

from collections.abc import Callable
from datetime import UTC

import pytest
from multidict import MultiDict, MultiMapping

from app.queries import is_live, journey_query, once, walk_query, zone_of
from app.web import Refusal
from tables.journey import Window


def asked(text: str) -> MultiDict[str]:
    return MultiDict((name, value) for name, _, value in (part.partition("=") for part in text.split("&")))


def journey(query: MultiMapping[str]) -> object:
    return journey_query(query, UTC)


def test_what_is_not_asked_for_is_everything_a_hundred_at_a_time() -> None:
    query = journey_query(MultiDict(), UTC)
    assert (query.window, query.limit) == (Window(), 100)


def test_channels_and_events_may_be_named_several_times_and_others_once() -> None:
    query = journey_query(
        asked("channel=web&channel=app,store&event=a&event=b&from=1970-01-01T00:00:01Z&unknown=1&unknown=2"), UTC
    )
    assert query.wanted.channels == {"web", "app", "store"}
    assert query.wanted.events == {"a", "b"}
    assert query.window.since == 1_000


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (journey, "from=1970-01-01T00:00:02Z&from=1970-01-01T00:00:01Z", "from is given 2 times; give it once"),
        (journey, "limit=1&limit=1&limit=2", "limit is given 3 times; give it once"),
        (walk_query, "cursor=a&cursor=b", "cursor is given 2 times"),
        (walk_query, "order=asc&order=desc", "order is given 2 times"),
        (walk_query, "order=up", "order is asc or desc"),
        (walk_query, "order=", "order is asc or desc"),
        (walk_query, "limit=", "limit is a number from 1 to 1000, not ''"),
        (walk_query, "limit=0", "limit is a number from 1 to 1000, not '0'"),
        (is_live, "live=true&live=true", "live is given 2 times"),
        (is_live, "live=yes", "live is true or false, not 'yes'"),
        (lambda query: zone_of(query, UTC), "tz=UTC&tz=UTC", "tz is given 2 times"),
        (lambda query: once(query, "to"), "to=a:1&to=b:2", "to is given 2 times"),
    ],
)
def test_what_cannot_be_meant_is_said_in_one_sentence(read: Callable[[MultiMapping[str]], object], text: str, said: str) -> None:
    with pytest.raises(Refusal, match=said) as refused:
        read(asked(text))
    assert refused.value.code == "bad_request"
