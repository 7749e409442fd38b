"""What senders write for a time, and the instant that it is."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.times import instant

SHANGHAI = ZoneInfo("Asia/Shanghai")
A_DAY = "2015-02-02T00:30:08.276+00:00"

SAME_INSTANT = [
    "2015-02-02T00:30:08.276Z",
    "2015-2-02T00:30:08.276Z",  # as an example of Segment's documentation has it
    "2015-2-2T0:30:8.276Z",
    "2015-02-02T00:30:08.276z",
    "2015-02-02t00:30:08.276Z",
    "2015-02-02 00:30:08.276Z",
    "2015-02-02 00:30:08.276 +00:00",
    "  2015-02-02T00:30:08.276Z ",
    "2015-02-02T00:30:08.2760000Z",
    "2015-02-02T00:30:08.276999999Z",
    "2015-02-02T00:30:08,276Z",
    "2015-02-02T08:30:08.276+08:00",
    "2015-02-02T08:30:08.276+0800",
    "2015-2-2T08:30:08.276+08",
    "2015-02-01T19:30:08.276-05:00",
    "2015-02-02T08:30:08.276",  # without an offset: the channel's zone
    "2015-02-02 08:30:08.276",
    1422837008276,
    1422837008276.4,
    1422837008.276,
    "1422837008276",
    "1422837008.276",
    " 1422837008276 ",
]
OTHER_INSTANTS = [
    ("2015-02-02", "2015-02-01T16:00:00+00:00"),
    ("2015-2-2", "2015-02-01T16:00:00+00:00"),
    ("2015-02-02T08:30", "2015-02-02T00:30:00+00:00"),
    ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"),
    (0, "1970-01-01T00:00:00+00:00"),
    (1422837008, "2015-02-02T00:30:08+00:00"),
    ("1422837008", "2015-02-02T00:30:08+00:00"),
    (99_999_999_999, "5138-11-16T09:46:39+00:00"),
    (100_000_000_000, "1973-03-03T09:46:40+00:00"),
    ("1970-01-01T08:00:00", "1970-01-01T00:00:00+00:00"),
]
NO_TIMES = [
    *(
        "",
        " ",
        "soon",
        "now",
        "null",
        "2015",
        "20150202",
        "2015-02",
        "02/02/2015",
        "2015-13-02",
        "2015-02-30T00:00:00Z",
        "2015-02-02T25:00:00Z",
    ),
    *(
        "2015-02-02X00:30:08",
        "2015-02-02T00:61:00Z",
        "2015-02-02T00:30:08+8",
        "2015-02-02T00:30:08 CST",
        "2015-02-02T00:30:08Zulu",
    ),
    *("-1", "-1422837008276", "1e9", "+1422837008", "0x5", "１４２２８３７００８", "1422837008.", "2015-W05-1", "٢٠١٥-٠٢-٠٢"),
    *("1969-12-31T23:59:59Z", "0001-01-01T00:00:00", "0001-01-01", "1970-01-01T07:59:59"),
    *(-1, -0.001, -1422837008276, True, False, None, [], {}, [1422837008], object(), b"2015-02-02"),
]


def milliseconds(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@pytest.mark.parametrize("written", SAME_INSTANT)
def test_one_instant_has_many_spellings(written: object) -> None:
    assert instant(written, SHANGHAI) == milliseconds(A_DAY)


@pytest.mark.parametrize(("written", "meant"), OTHER_INSTANTS)
def test_a_time_is_read_as_it_is_meant(written: object, meant: str) -> None:
    assert instant(written, SHANGHAI) == milliseconds(meant)


@pytest.mark.parametrize("written", NO_TIMES)
def test_what_is_no_time_is_never_guessed(written: object) -> None:
    assert instant(written, SHANGHAI) is None


def test_a_time_that_summer_time_skips_is_still_an_instant() -> None:
    assert instant("2026-03-29T02:30:00", ZoneInfo("Europe/Berlin")) == milliseconds("2026-03-29T01:30:00+00:00")


OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1970, 1, 3), datetime(9998, 1, 1), timezones=OFFSETS))
def test_what_a_clock_writes_is_read_back_to_the_millisecond(moment: datetime) -> None:
    written = moment.isoformat(timespec="milliseconds")
    assert instant(written, SHANGHAI) == milliseconds(written)
    assert instant(written.replace("T", " ").replace("+00:00", "Z"), SHANGHAI) == milliseconds(written)


@given(st.datetimes(datetime(1971, 1, 1), datetime(9998, 1, 1)), OFFSETS)
def test_a_time_without_an_offset_is_one_of_the_zone(moment: datetime, zone: tzinfo) -> None:
    assert instant(moment.isoformat(), zone) == instant(moment.replace(tzinfo=zone).isoformat(), UTC)


@given(st.integers(10**11, 10**14))
def test_milliseconds_are_themselves_as_number_and_as_text(epoch: int) -> None:
    assert instant(epoch, UTC) == instant(str(epoch), UTC) == epoch


@given(st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.from_regex(r"[0-9 TZ:.,+-]{1,40}"))
def test_anything_gives_an_instant_from_1970_on_or_none(written: object) -> None:
    found = instant(written, SHANGHAI)
    assert found is None or found >= 0
