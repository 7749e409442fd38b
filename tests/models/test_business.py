"""Which business system an address, a page or an event belongs to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.business import BusinessRule, business_system, compared, name_pattern, url_pattern

CARS = "https://shop.example.com/cars/*"

FITS = [
    (CARS, "https://shop.example.com/cars/7"),
    (CARS, "http://shop.example.com/cars/7?colour=red#seats"),
    (CARS, "https://SHOP.example.com:443/cars/"),
    (CARS, "https://shop.example.com/cars"),
    (CARS, "//www.shop.example.com/cars/a/b"),
    (CARS, " https://user:pw@shop.example.com./cars/7 "),
    ("https://*.example.com/cars/*", "https://m.example.com/cars/7"),
    ("*.example.com*", "https://m.example.com/boats"),
    ("shop.example.com/*", "https://shop.example.com"),
    ("https://shop.example.com", "https://shop.example.com/"),
    ("https://shop.example.com:8443/*", "https://shop.example.com:8443/x"),
    ("/cars/*", "https://anywhere.example.com/cars/7"),
    ("/cars/*", "/cars/7"),
    ("https://app.example.com/#/cars/*", "https://app.example.com/#/cars/7?x=1"),
    ("*", "https://shop.example.com/boats"),
]
FITS_NOT = [
    (CARS, "https://shop.example.com/carsharing/7"),
    (CARS, "https://shop.example.com/boats/cars/7"),
    (CARS, "https://evil.example/?https://shop.example.com/cars/7"),
    (CARS, "https://shop-example.com/cars/7"),
    (CARS, "https://shop.example.com:8443/cars/7"),
    (CARS, "/cars/7"),
    ("/cars/*", "https://cars/7"),
    ("https://*.example.com/cars/*", "https://example.com/cars/7"),
    ("https://app.example.com/#/cars/*", "https://app.example.com/#/boats/7"),
    (CARS, ""),
    (CARS, "no address at all"),
]


@pytest.mark.parametrize(("pattern", "address"), FITS)
def test_a_pattern_fits_an_address(pattern: str, address: str) -> None:
    assert url_pattern(pattern).fullmatch(compared(address))


@pytest.mark.parametrize(("pattern", "address"), FITS_NOT)
def test_a_pattern_does_not_fit_an_address(pattern: str, address: str) -> None:
    assert not url_pattern(pattern).fullmatch(compared(address))


RULES = (
    BusinessRule("cars", urls=(url_pattern(CARS),)),
    BusinessRule("hall", urls=(url_pattern("https://shop.example.com/*"),), pages=(name_pattern("网上营业厅*"),)),
    BusinessRule("orders", events=(name_pattern("order_*"),)),
)


def classified(event: str = "page_viewed", named: object = None, url: object = None, page: object = None) -> str | None:
    return business_system(RULES, event, named=(named,), urls=(url,), pages=(page,))


def test_the_first_rule_that_fits_decides() -> None:
    assert classified(url="https://shop.example.com/cars/7") == "cars"
    assert classified(url="https://shop.example.com/boats/7") == "hall"


def test_a_page_or_the_event_may_tell_it_by_name() -> None:
    assert classified(page="网上营业厅-缴费") == "hall"
    assert classified(event="order_paid") == "orders"


def test_an_event_that_names_a_declared_system_belongs_to_it() -> None:
    assert classified(named="orders", url="https://shop.example.com/cars/7") == "orders"
    assert classified(named="unheard of", url="https://shop.example.com/cars/7") == "cars"


def test_what_fits_nowhere_is_unclassified() -> None:
    assert classified(url="https://other.example/cars/7", page="首页") is None
    assert classified(named=7, url=["https://shop.example.com/cars/7"], page={}) is None


@given(st.text())
def test_any_text_has_a_compared_form(text: str) -> None:
    assert "?" not in compared(text)
