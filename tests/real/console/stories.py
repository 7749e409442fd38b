"""Who the tests of the console look at: one person for each story, so that no test minds another."""

from tests.real.crowd import Behaviour, Name

T0 = 1_780_000_000_000
"""29 May 2026, 04:26:40 in Shanghai."""
MINUTE_MS, DAY_MS = 60_000, 86_400_000
RULE = """session_gap_minutes = 30

[[journey.inferences]]
name = "cart_before_order"
event = "order_paid"
needs = "add_to_cart"
after = "product_viewed"
"""

COOKIE: Name = ("anonymous_id", "ck-1")
PHONE: Name = ("phone", "138 0013 8000")
CUSTOMER: Name = ("wecom_external_userid", "wmX")
ORDERER: Name = ("order_user_id", "o-77")
WALKER: Name = ("user_id", "walker")
HOSTILE: Name = ("user_id", """"><img src=x onerror="document.title='taken'">""")
LISTENER: Name = ("user_id", "listener")
PATIENT: Name = ("user_id", "patient")
SHOPPER: Name = ("user_id", "shopper")
PARTED: Name = ("user_id", "parted")
FORGOTTEN: Name = ("user_id", "forgotten")
MANY = 230


def event(name: str, minute: float, channel: str, what: str, *names: Name, **more: object) -> Behaviour:
    """An event so many minutes after T0."""
    return Behaviour(channel, name, what, T0 + round(minute * MINUTE_MS), names, more)


BUYER = [
    event("b1", 0, "web", "page_viewed", COOKIE, context={"page": {"url": "https://shop.example.com/cars/x7"}}),
    event("b2", 3, "mini_program", "test_drive_requested", COOKIE, PHONE, properties={"model": "X7"}),
    event("b3", 24 * 60, "wecom", "message_sent", CUSTOMER, PHONE),
    event("b4", 50 * 60, "store", "store_visited", PHONE),
    event("b5", 51 * 60, "marketing", "order_paid", ORDERER, PHONE, properties={"amount": 239000}),
]
"""One buyer over five systems."""
WALKS = [event(f"w{n}", n * 7, ("web", "app", "store")[n % 3], f"kind_{n % 4}", WALKER) for n in range(MANY)]
SHOPS = [
    event("s1", 0, "web", "product_viewed", SHOPPER),
    event("s2", 12, "app", "order_paid", SHOPPER),
    event("s3", 90, "web", "page_viewed", SHOPPER, properties={"duration_ms": 64_000}),
]
EVIL = "<script>document.title='taken'</script>"
HOSTILE_EVENTS = [
    event(
        f"h{n}{EVIL}",
        n,
        "web",
        f"{EVIL}<b onmouseover=alert(1)>{{{{7*7}}}}",
        HOSTILE,
        ("anonymous_id", "javascript:alert(1)"),
        properties={EVIL: "'\"><svg/onload=alert(1)>", "url": "javascript:alert(1)"},
        traits={f"x{EVIL}": f"</dd></dl>{EVIL}", "city": "\u202eevil"},
        context={"page": {"url": f"https://x/{EVIL}"}},
    )
    for n in range(2)
]
LISTENS = [event("l1", 0, "web", "page_viewed", LISTENER), event("t1", 0, "web", "page_viewed", PATIENT)]
PARTS = [
    event("p1", 0, "web", "login", PARTED, ("anonymous_id", "pa")),
    event("p2", 1, "web", "login", PARTED, ("anonymous_id", "pa")),
]
BORROWS = [event("p3", 2, "app", "login", PARTED, ("device_id", "shared-tablet"))]
"""Told when the others are in their topics: so this person is born of the account, and not of the tablet."""
FORGETS = [event("f1", 0, "web", "login", FORGOTTEN, ("email", "gone@example.com"))]
SHARED = [
    event("d1", 0, "web", "login", ("user_id", "twice"), ("device_id", "other")),
    event("d2", 1, "web", "page_viewed", ("anonymous_id", "twice")),
]
"""Two persons who are known by the same text."""
ALL = [*BUYER, *WALKS, *SHOPS, *HOSTILE_EVENTS, *LISTENS, *PARTS, *FORGETS, *SHARED]
