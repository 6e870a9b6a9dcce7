"""The names that columns and keys bear in the wild, and what each of them holds.

The tables map them to our field names and kind names. `subject`, the person's pseudonym, is never guessed: in
complaint data a column of that name is a topic.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from trisect.errors import BadInputError
from trisect.indicators.kinds import Kind

FIELDS: Final = (
    "value", "kind", "ref", "category", "fraud_role", "confidence", "first_seen", "last_seen", "channel",
    "ai_technique", "subject",
)  # fmt: skip
VERDICT: Final = "verdict"  # not a field: a column that tells which rows are no fraud

_KIND_NAMES: Final[Mapping[Kind, str]] = {
    Kind.PHONE: "phone_number phonenumber phone_no telephone telephone_number tel mobile mobile_number msisdn"
    " cell caller caller_id callerid calling_number company_phone_number e164 手机 手机号 手机号码 电话 电话号码",
    Kind.SHORTCODE: "short_code",
    Kind.SMS_SENDER: "sender_id sms_sender_id",
    Kind.IBAN: "iban_number",
    Kind.BANK_ACCOUNT: "account_number bank_account_nr bank_account_number 银行账号 银行账户",
    Kind.PAYMENT_CARD: "card_number cc_number credit_card credit_card_number 银行卡 银行卡号",
    Kind.PAYMENT_HANDLE: "upi vpa upi_id",
    Kind.WALLET: "wallet_address crypto_wallet crypto_address cryptocurrency_wallet cryptocurrency_address"
    " coin_address btc btc_address bitcoin bitcoin_address eth eth_address xmr dash 钱包地址",
    Kind.EMAIL: "e_mail email_address e_mail_address mail email_addr email_src email_dst 邮箱 电子邮箱 邮件",
    Kind.URL: "urls link website webpage 网址 链接",
    Kind.DOMAIN: "domains domain_name fqdn hostname host_name 域名",
    Kind.IP: "ip_address ipaddress ipv4 ipv6 ipv4_addr ipv6_addr ip_src ip_dst ip_addr",
    Kind.NATIONAL_ID: "identity_card_number id_card 身份证 身份证号",
    Kind.PASSPORT: "passport_number",
    Kind.APP: "package package_name mobile_application_id app_id bundle_id",
    Kind.FILE_SHA256: "sha256 sha_256 hash_sha256 sha256_hash",
    Kind.SOCIAL_ACCOUNT: "user_account social_media_account",
}
KIND_SYNONYMS: Final[Mapping[str, str]] = MappingProxyType(
    {name: kind.value for kind, names in _KIND_NAMES.items() for name in names.split()}
    | {kind.value: kind.value for kind in Kind}
)

_VALUE_NAMES: Final = [
    "value",
    "indicator",
    "ioc",
    "observable",
    "indicator_value",
    "ioc_value",
    "identifier",
    "number",
    "号码",
    "线索",
]
_FIELD_NAMES: Final[Mapping[str, Sequence[str]]] = {
    "kind": ["kind", "indicator_type", "indicator_kind", "ioc_type", "observable_type"],
    "ref": [
        "ref",
        "reference",
        "case_ref",
        "case_id",
        "case_no",
        "case_number",
        "record_id",
        "report_id",
        "ticket",
        "id",
        "uuid",
        "编号",
        "案件编号",
    ],
    "category": ["category", "fraud_type", "fraud_category", "scam_type", "诈骗类型"],
    "fraud_role": ["fraud_role"],
    "confidence": ["confidence", "置信度"],
    "first_seen": [
        "first_seen",
        "firstseen",
        "first_observed",
        "first_reported",
        "detected_date",
        "date_detected",
        "valid_from",
        "首次发现",
    ],
    "last_seen": ["last_seen", "lastseen", "last_observed", "last_reported", "最后发现"],
    "channel": ["channel", "渠道"],
    "ai_technique": ["ai_technique"],
    VERDICT: ["classification", "verdict", "disposition"],
}
_WEAK_KIND_NAMES: Final = frozenset(("type", "类型"))  # the kind, where its cells bear that out
_KNOWN: Final = (
    frozenset(_VALUE_NAMES).union(*_FIELD_NAMES.values()).union(KIND_SYNONYMS)
    | _WEAK_KIND_NAMES
    | {"subject"}
)
HARMLESS: Final = frozenset(
    ("legitimate", "legit", "parked", "benign", "whitelisted", "allowlisted", "harmless")
)

_SEPARATORS: Final = re.compile(r"[\s\-_./]+")
_VALUE_LIKE: Final = re.compile(r"@|://|\[\.\]|\d.*\d.*\d.*\d|[^\W_]\.[^\W_]", re.DOTALL)
_SHOWN_NAMES: Final = 20
_SHOWN_CHARS: Final = 40


def fold(name: str) -> str:
    """The one spelling of a column or kind name: `E-Mail Address` is `e_mail_address`."""
    plain = unicodedata.normalize("NFKC", name).strip().strip("'\"").casefold()
    return _SEPARATORS.sub("_", plain).strip("_")


def kind_of(text: str) -> str:
    """Our name for a kind as others write it; unknown text comes back unchanged, for the intake to refuse."""
    known = KIND_SYNONYMS.get(text)
    return known if known is not None else KIND_SYNONYMS.get(fold(text), text)


def is_kind(text: str) -> bool:
    """Whether a text names one of our kinds, in any spelling."""
    return fold(text) in KIND_SYNONYMS


def wants_sample(names: Iterable[str]) -> bool:
    """Whether `plan` looks at its sample for these names: one of them is only called `type`."""
    return any(fold(name) in _WEAK_KIND_NAMES for name in names)


def is_harmless(verdict: str) -> bool:
    """Whether a list's own verdict says that a row is no indicator of fraud."""
    return verdict.strip().casefold() in HARMLESS


def is_known(name: str) -> bool:
    """Whether a column of this name tells us what it holds."""
    return fold(name) in _KNOWN


def is_value_like(cell: str) -> bool:
    """Whether a cell looks like an indicator, not like a name: such a cell is never shown."""
    return _VALUE_LIKE.search(cell) is not None and not is_known(cell)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which column or key feeds which field.

    Attributes:
        places: field -> 0-based index of its column; `value` is always there.
        kind: kind that the name of the value's column gives to every row, or empty.
        verdict: index of a column that tells which rows are no fraud, or None.
    """

    places: Mapping[str, int]
    kind: str = ""
    verdict: int | None = None


def plan(
    names: Sequence[str], mapping: Mapping[str, str], sample: Sequence[Sequence[str]], *, counted: bool = True
) -> Plan:
    """Settle which of the named columns feeds which field: as mapped, else as their names tell.

    Args:
        names: column names or keys, in order.
        mapping: field -> column name, or 1-based index where `counted`.
        sample: some rows, to bear out a column that is only called `type`.
        counted: whether columns have numbers (they do in CSV, keys of an object do not).

    Raises:
        BadInputError: an unknown field, a column that does not exist, or none or several that may hold the
            value; names the columns there are.
    """
    check_fields(mapping)
    places = {field: _find(field, asked, names, counted=counted) for field, asked in mapping.items()}
    folded = [fold(name) for name in names]
    free = [index for index in range(len(names)) if index not in places.values()]
    if "value" not in places:
        places["value"] = _value_place(names, folded, free)
        free.remove(places["value"])
    verdict = _first(folded, free, _FIELD_NAMES[VERDICT])
    for field, known in _FIELD_NAMES.items():
        if field not in places and field != VERDICT:
            found = _first(folded, free, known)
            if found is None and field == "kind":
                found = _borne_out(folded, free, sample)
            if found is not None:
                places[field] = found
                free.remove(found)
    kind = "" if "kind" in places else KIND_SYNONYMS.get(folded[places["value"]], "")
    return Plan(places, kind, verdict)


def check_fields(mapping: Mapping[str, str]) -> None:
    """Refuse a mapping of a field that no row has.

    Raises:
        BadInputError: names the fields there are.
    """
    for field in mapping:
        if field not in FIELDS:
            raise BadInputError(
                f"--map: there is no field {field[:_SHOWN_CHARS]!r}", hint=f"fields are {', '.join(FIELDS)}"
            )


def shown(names: Sequence[str]) -> str:
    """Column names for a message, shortened; a cell that looks like an indicator shows as its number."""
    texts = [
        f"column {number}" if is_value_like(name) or not name.isprintable() else name.strip()[:_SHOWN_CHARS]
        for number, name in enumerate(names[:_SHOWN_NAMES], start=1)
    ]
    return ", ".join(texts) + (", ..." if len(names) > _SHOWN_NAMES else "")


def _find(field: str, asked: str, names: Sequence[str], *, counted: bool) -> int:
    exact = [index for index, name in enumerate(names) if name.strip() == asked.strip()]
    alike = exact or [index for index, name in enumerate(names) if fold(name) == fold(asked)]
    if len(alike) == 1:
        return alike[0]
    if not alike and counted and asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= len(names):
        return int(asked[:9]) - 1
    wrong = "two columns have that name" if alike else "no column has that name"
    name = "the column asked for" if is_value_like(asked) else repr(asked[:_SHOWN_CHARS])
    raise BadInputError(f"--map {field}={name}: {wrong}", hint=f"the columns are: {shown(names)}")


def _value_place(names: Sequence[str], folded: Sequence[str], free: Sequence[int]) -> int:
    found = _first(folded, free, _VALUE_NAMES)
    if found is not None:
        return found
    of_a_kind = [index for index in free if folded[index] in KIND_SYNONYMS]
    if len(of_a_kind) == 1:
        return of_a_kind[0]
    if not of_a_kind and len(names) == 1 and free:
        return free[0]
    wrong = "several columns may hold the value" if of_a_kind else "no column is known to hold the value"
    raise BadInputError(wrong, hint=f"say which: --map value=COLUMN; the columns are: {shown(names)}")


def _first(folded: Sequence[str], free: Sequence[int], known: Sequence[str]) -> int | None:
    """The free column with the name that stands first in `known`."""
    for name in known:
        for index in free:
            if folded[index] == name:
                return index
    return None


def _borne_out(folded: Sequence[str], free: Sequence[int], sample: Sequence[Sequence[str]]) -> int | None:
    for index in free:
        if folded[index] in _WEAK_KIND_NAMES and any(
            is_kind(row[index]) for row in sample if index < len(row)
        ):
            return index
    return None
