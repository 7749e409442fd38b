"""What was imported is marked."""

import json

import msgspec
import pytest

from models.imports import imported, is_imported
from tests.models.test_parse import event


@pytest.mark.parametrize("context", [{}, {"page": {"url": "/cars"}}, {"import": False}])
def test_an_imported_event_says_so_and_all_else_that_it_said(context: dict[str, object]) -> None:
    given = event(context=context)
    marked = imported(given)
    assert json.loads(marked.context) == {**context, "import": True}
    assert (is_imported(marked.context), is_imported(given.context)) == (True, False)
    assert msgspec.structs.replace(marked, context=given.context) == given
