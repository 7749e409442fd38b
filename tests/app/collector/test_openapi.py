"""The document of the collector names what is served."""

from app.collector.openapi import OPENAPI, SCHEMAS
from app.collector.protocols import ROUTES
from tests.app.collector.conftest import Door


def test_every_route_is_in_it_and_no_other() -> None:
    posted = {path for path, item in OPENAPI["paths"].items() if "post" in item}
    assert posted == set(ROUTES)


def test_every_schema_that_it_names_is_there() -> None:
    text = str(OPENAPI)
    assert all(f"#/components/schemas/{name}" in text for name in SCHEMAS)


async def test_it_is_served_to_anybody(door: Door) -> None:
    async with door.http.get(f"{door.url}/openapi.json") as response:
        assert (response.status, await response.json()) == (200, OPENAPI)
