"""Rows as they were stored when format 1 was written are read by the program of today, and would be by one of tomorrow.

`rows_of_format_1.txt` holds one row of each kind: the table that it lay in then, key, and body in base64. It is never written
anew: when format 2 comes, it gets a file of its own beside this one.
"""

import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import msgspec
import pytest

from app.runtime.durable import EXIT_UNUSABLE
from models.identity.rows import Cluster, Node, PolicyRow, Request
from models.journey.rows import Entry, Header
from tables import format as formats
from tables.codec import codec
from tables.format import Format
from tests.markdown import ROOT

STORED = [line.split(" ") for line in Path(__file__).with_name("rows_of_format_1.txt").read_text().splitlines()]
KINDS = {"n|": Node, "c|": Cluster, "r|": Request, "p|": PolicyRow, "h|": Header, "t|": Entry, "e|": int}
SAYS = {
    "n|": "user_id:0XiDq5QXGLeSAagmARreYw",
    "c|": "+8613800138000",
    "r|": "done",
    "p|": "member_id",
    "h|": "signed_in",
    "t|": "/pricing",
    "e|": "1772416801000",
}


@pytest.mark.parametrize(("key", "body"), [row[1:] for row in STORED], ids=[key[:2] for _, key, _ in STORED])
def test_a_row_of_format_1_says_today_what_it_said_then(key: str, body: str) -> None:
    row = codec.decode(key.encode(), b64decode(body))
    assert isinstance(row, KINDS[key[:2]])
    assert SAYS[key[:2]] in str(row)


def test_there_is_a_row_of_each_kind() -> None:
    assert {key[:2] for _, key, _ in STORED} == KINDS.keys()


class RequestOfTomorrow(msgspec.Struct, frozen=True, array_like=True):
    """Its state became a number, and stands last."""

    detail: str
    state: int


def test_a_stored_row_is_brought_up_to_a_format_of_tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(body: bytes) -> bytes:
        state, detail = msgspec.msgpack.decode(body)
        return msgspec.msgpack.encode([detail, ["accepted", "refused", "done"].index(state)])

    monkeypatch.setattr(formats, "VERSION", 2)
    monkeypatch.setitem(formats.UPCAST, 1, step)
    (body,) = (b64decode(body) for _, key, body in STORED if key.startswith("r|"))
    form: Format[RequestOfTomorrow] = Format(RequestOfTomorrow)
    assert form.decode(body) == RequestOfTomorrow("", 2)


def test_a_worker_of_today_refuses_state_of_tomorrow_in_one_sentence() -> None:
    program = "from app.runtime.durable import die; from tables.format import NewerState; die(NewerState('the rows are newer'))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (EXIT_UNUSABLE, "worker ends: the rows are newer\n")
