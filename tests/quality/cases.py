"""Cases by hand: what channels write, and what it means; the label says what a person knows, also where rules cannot know it."""

from typing import Any, NamedTuple


class Case(NamedTuple):
    """What is written in one place of a record, and what it means; None = nothing that anybody could use."""

    written: Any
    meant: Any


NAMES: dict[str, list[Case]] = {
    "web": [
        Case("add_to_cart", "add_to_cart"),
        Case("add-to-cart", "add_to_cart"),
        Case(" order_paid ", "order_paid"),
        Case("orderPaid", "order_paid"),
        Case("加购", "add_to_cart"),
        Case("newsletter_opened", "newsletter_opened"),
    ],
    "app": [
        Case("addCart", "add_to_cart"),
        Case("支付成功", "order_paid"),
        Case("complaint_made", "complaint_made"),
    ],
    "store": [
        Case("加购", "add_to_cart"),
        Case("到店", "store_visited"),
        Case("投诉", "complaint_made"),
        Case("addCart", "addCart"),
    ],
    "crm": [Case("CART_ADD", "add_to_cart"), Case("PAID", "order_paid"), Case("order_paid", "order_paid")],
}
HARD_NAMES = [Case("Add To Cart", "add_to_cart"), Case("加入购物车", "add_to_cart")]
TIMES = [
    Case("2024-01-31T16:30:00Z", "2024-02-01T00:30:00+08:00"),
    Case(1706718600, "2024-02-01T00:30:00+08:00"),
    Case(1706718600000, "2024-02-01T00:30:00+08:00"),
    Case("1706718600000", "2024-02-01T00:30:00+08:00"),
    Case("2024-02-01T00:30:00+08:00", "2024-02-01T00:30:00+08:00"),
    Case("2024-02-01 00:30:00", "2024-02-01T00:30:00+08:00"),
    Case("2024-2-1 0:30:00", "2024-02-01T00:30:00+08:00"),
    Case("2024-02-01T00:30:00.000", "2024-02-01T00:30:00+08:00"),
    Case("2024-01-31T11:30:00-05:00", "2024-02-01T00:30:00+08:00"),
    Case("2024-01-31t16:30:00z", "2024-02-01T00:30:00+08:00"),
    Case(1706718600.5, "2024-02-01T00:30:00.500+08:00"),
    Case("2024-12-31T23:59:60Z", "2025-01-01T08:00:00+08:00"),
]
BAD_TIMES = ["", "yesterday", "2024-02-30T10:00:00Z", -5, "2024-13-01", True, "25:61"]
PHONES = [
    *(
        Case(written, "+8613800138000")
        for written in (
            "138 0013 8000",
            "+8613800138000",
            "0086-138-0013-8000",
            "13800138000",
            "+86 138-0013-8000",
            "(+86)13800138000",
            "１３８００１３８０００",
            "86 13800138000",
            "tel:+8613800138000",
            13800138000,
        )
    ),
    *(Case(written, "+861082319999") for written in ("010-82319999", "+86 10 8231 9999", "(010) 82319999")),
    Case("+44 (0)20 7946 0958", "+442079460958"),
    Case("+1 650 253 0000", "+16502530000"),
    Case("00852 2878 3300", "+85228783300"),
]
EMAILS = [
    Case("Ann.Lee@Example.COM", "ann.lee@example.com"),
    Case(" ann.lee@example.com ", "ann.lee@example.com"),
    Case("ann.lee@example.com", "ann.lee@example.com"),
    Case("ANN.LEE@EXAMPLE.COM", "ann.lee@example.com"),
]
IMEIS = [
    Case("490154203237518", "490154203237518"),
    Case("49-015420-323751-8", "490154203237518"),
    Case("49 015420 323751 8", "490154203237518"),
    Case("490154203237519", None),
    Case("49015420323751", None),
]
NOBODY = ["", "0", "null", "undefined", "anonymous", "00000000000", "-1", "未知", "[object Object]", "N/A"]
NO_PHONES = ["8231999", "12345", "00000000000", "138001380", "call me", "1380013800O"]
REGIONS = [
    Case({"address": "广东省深圳市南山区深南大道1号"}, "440305"),
    Case({"address": "北京市朝阳区建国路"}, "110105"),
    Case({"address": "长春市朝阳区"}, "220104"),
    Case({"address": "朝阳区"}, "unknown"),
    Case({"address": "上海 浦东新区 世纪大道"}, "310115"),
    Case({"address": "深圳"}, "440300"),
    Case({"address": "长春路12号"}, "unknown"),
    Case({"address": "昆山市"}, "320583"),
    Case({"address": "徐州市鼓楼区"}, "320302"),
    Case({"address": "110103"}, "110101"),
    Case({"address": 440305}, "440305"),
    Case({"province": "广东省", "city": "深圳市", "district": "南山区"}, "440305"),
    Case({"province": "广东", "city": "广州"}, "440100"),
    Case({"province": "浙江省", "city": "杭州市", "district": "西湖区"}, "330106"),
    Case({"province": "北京市", "city": "北京市", "district": "海淀区"}, "110108"),
    Case({"province": "新疆维吾尔自治区", "city": "乌鲁木齐市"}, "650100"),
    Case({"province": "湖北省", "district": "仙桃市"}, "429004"),
    Case({"province": "内蒙古自治区", "city": "呼伦贝尔市", "district": "海拉尔区"}, "150702"),
]
HARD_REGIONS = [Case({"address": "深圳科技园"}, "440300"), Case({"address": "Foshan"}, "440600")]
PAGES = [
    Case({"url": "https://shop.example.com/cars/m5?from=ad"}, "car_sales"),
    Case({"url": "http://www.shop.example.com/cars/"}, "car_sales"),
    Case({"url": "https://hall.example.com/bills#top"}, "service_hall"),
    Case({"path": "/hall/pay"}, "service_hall"),
    Case({"title": "网上营业厅 - 缴费"}, "service_hall"),
    Case({"url": "https://shop.example.com/news/1"}, None),
    Case({"url": "https://other.example.com/cars/"}, None),
]
VIEWS = [
    Case({"duration_ms": 1000}, 1000),
    Case({"duration_ms": 5000}, 5000),
    Case({"duration_ms": 1500.4}, 1500),
    Case({"entered_at": "2024-02-01T00:30:00+08:00", "left_at": "2024-01-31T16:30:01Z"}, 1000),
    Case({"entered_at": 1706718600, "left_at": 1706718660}, 60000),
    Case({"entered_at": 1706718600}, None),
    Case({}, None),
]
SHORT_VIEWS = [{"duration_ms": 999}, {"duration_ms": 0}, {"entered_at": 1706718600000, "left_at": 1706718600999}]
IMPOSSIBLE_VIEWS = [{"entered_at": 1706718660, "left_at": 1706718600}]
CUSTOMERS = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.43",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 20) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; HarmonyOS) AppleWebKit/537.36 Chrome/99 HuaweiBrowser/12 Mobile Safari/537.36",
    "Dalvik/2.1.0 (Linux; U; Android 13)",
    "okhttp/4.12.0",
]
ROBOTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; Bytespider; spider-feedback@bytedance.com)",
    "python-requests/2.31.0",
    "curl/8.4.0",
]
HARD_ROBOTS = ["acme-price-watch/3 (we are a robot)"]
TESTERS = ["k6/0.49.0 (https://k6.io/)", "k6/0.50"]
BROKEN: list[tuple[bytes, str]] = [
    (b'{"event": "page_viewed", "identif', "not_json"),
    (b"", "not_json"),
    (b"\xff\xfe\x00", "not_json"),
    (b"null", "not_an_object"),
    (b"[1, 2]", "not_an_object"),
    (b'"page_viewed"', "not_an_object"),
    (b'{"identifiers": {"user_id": "1"}}', "missing_event"),
    (b'{"event": "  ", "identifiers": {"user_id": "1"}}', "missing_event"),
    (b'{"event": 7, "identifiers": {"user_id": "1"}}', "bad_event"),
    (b'{"event": "login"}', "no_identifier"),
    (b'{"event": "login", "identifiers": {"user_id": null}}', "no_identifier"),
    (b'{"event": "login", "identifiers": {"passport": "E1"}}', "unknown_namespace"),
]
