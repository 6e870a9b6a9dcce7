"""Telephone numbers that regulators reserve for fiction (source: MISP warning list `phone_numbers`)."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_AUSTRALIAN_MOBILES = (
    r"570(?:006|156|157|158|159|110|313|737)|571(?:266|491|804)|572(?:549|665|983)|573(?:770|087)"
    r"|574(?:118|632)|575(?:254|789)|576(?:398|801)|577(?:426|644)|578(?:957|148|888)|579(?:212|760|455)"
)

_RESERVED: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "1": re.compile(r"\d{3}55501\d{2}"),
        "33": re.compile(r"(?:19900|26191|35301|46571|53649|63998)\d{4}"),
        "353": re.compile(r"2091\d{5}"),
        "44": re.compile(
            r"1(?:1[3-8]|21|31|41|51|61)4960\d{3}|1632960\d{3}|1914980\d{3}|2(?:89|92)0180\d{3}"
            r"|2079460\d{3}|3069990\d{3}|7700900\d{3}|8081570\d{3}|9098790\d{3}"
        ),
        "46": re.compile(r"7017406(?:0[5-9]|[1-9]\d)|3139006\d{2}|4062804\d{2}|8465004\d{2}|9803192\d{2}"),
        "61": re.compile(
            rf"[2378](?:5550|7010)\d{{4}}|491(?:{_AUSTRALIAN_MOBILES})"
            r"|1[38]009757(?:0[789]|1[01])|1800160401|1900654321"
        ),
    }
)


def is_reserved(code: str, national: str) -> bool:
    """Tell whether a number (calling code, national number; digits) is kept for fiction."""
    pattern = _RESERVED.get(code)
    return pattern is not None and pattern.fullmatch(national) is not None
