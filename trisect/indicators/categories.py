"""The fraud-type vocabulary: versioned, with parents, and never forgetting a code.

Types and their cross-walk follow the Ministry of Public Security's lists (2022 to 2025); parents are the first
level of the Taxonomy of Fraud (Stanford Center on Longevity, as in the MISP galaxy). A code is never removed:
one that falls out of use is marked `retired`, is read for ever, and written no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from trisect.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

VOCABULARY_VERSION: Final = "2026-11-22"


@dataclass(frozen=True, slots=True)
class FraudType:
    """One code of the vocabulary.

    Attributes:
        code: stable name; what labels hold.
        parent: code of the wider type, or empty at the top.
        zh: Chinese name as in the ministry's lists.
        en: English name.
        taxonomy: number in the MISP galaxy `taxonomy-of-fraud`.
        since: version of the vocabulary that brought the code.
        retired: version that took it out of use, or empty.
    """

    code: str
    parent: str
    zh: str
    en: str
    taxonomy: str
    since: str = VOCABULARY_VERSION
    retired: str = ""


_TYPES = (
    FraudType("investment", "", "投资理财类", "investment fraud", "1.1"),
    FraudType("goods_and_services", "", "商品与服务类", "fraud with goods and services", "1.2"),
    FraudType("authority", "", "冒充权威催缴类", "fraud by feigned authority or debt", "1.5"),
    FraudType("relationship", "", "熟人与情感信任类", "fraud on trust and relationships", "1.7"),
    FraudType("task_rebate", "goods_and_services", "刷单返利", "fake task / brushing rebate", "1.3.2"),
    FraudType("fake_investment", "investment", "虚假网络投资理财", "fake online investment", "1.1"),
    FraudType(
        "fake_shopping", "goods_and_services", "虚假购物、服务", "fake shopping or service", "1.2.1.2.1"
    ),
    FraudType(
        "fake_customer_service",
        "goods_and_services",
        "冒充电商物流客服",
        "impersonating e-commerce or courier service desk",
        "1.2.2.9",
    ),
    FraudType("fake_loan", "goods_and_services", "虚假贷款", "fake online loan", "1.2.2.7.1"),
    FraudType("fake_credit_repair", "goods_and_services", "虚假征信", "fake credit record repair", "1.2.2.6"),
    FraudType(
        "impersonate_boss_friend",
        "relationship",
        "冒充领导、熟人",
        "impersonating leader or acquaintance",
        "1.7.2",
    ),
    FraudType(
        "impersonate_authority",
        "authority",
        "冒充公检法及政府机关",
        "impersonating police, prosecutor, court or government",
        "1.5.1",
    ),
    FraudType("romance", "relationship", "网络婚恋、交友", "online romance", "1.7.1"),
    FraudType(
        "game_trade", "goods_and_services", "网络游戏产品虚假交易", "fake trade of game items", "1.2.1.2.99"
    ),
    FraudType(
        "air_ticket_refund", "goods_and_services", "机票退改签", "flight refund or rebooking", "1.2.2.15"
    ),
)

FRAUD_TYPES: Mapping[str, FraudType] = MappingProxyType({fraud.code: fraud for fraud in _TYPES})
"""Every code that any version has known, parents first."""


def fraud_type(code: str) -> FraudType:
    """Look a code up, as data of any version so far may hold it; retired codes are found too.

    Raises:
        BadInputError: no version has known the code.
    """
    try:
        return FRAUD_TYPES[code]
    except KeyError:
        known = ", ".join(name for name, fraud in FRAUD_TYPES.items() if not fraud.retired)
        raise BadInputError("unknown fraud type", hint=f"known types: {known}") from None


def is_within(code: str, ancestor: str) -> bool:
    """Tell whether a fraud type is another one or lies below it.

    Raises:
        BadInputError: one of the codes is unknown.
    """
    fraud_type(ancestor)
    while code and code != ancestor:
        code = fraud_type(code).parent
    return bool(code)
