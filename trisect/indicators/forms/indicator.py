"""The (kind, value) pair in canonical form, and the profile of the source that a value comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from phonenumbers import SUPPORTED_REGIONS

from trisect.errors import BadInputError

if TYPE_CHECKING:
    from trisect.indicators.kinds import Kind


@dataclass(frozen=True, slots=True)
class Indicator:
    """A value in canonical form with its kind; raw personal data, so its repr shows the kind only."""

    kind: Kind
    value: str

    def __repr__(self) -> str:
        return f"<Indicator {self.kind.value}>"


@dataclass(frozen=True, slots=True)
class Profile:
    """How one source spells its values.

    Attributes:
        region: ISO 3166-1 alpha-2 code of the country whose national spellings the source uses, or None.
        plus_optional: the source writes international phone digits without a plus.
        trust_plus: a plus always begins an international number. By default a plus before ten digits that
            look like a national number of a country with code 1 is ambiguous when `region` is one of those.
        allow_reserved: accept numbers reserved for fiction and documentation (demonstrations and tests).
        upgrade_legacy: accept outdated forms that have one certain successor (Chinese 15-digit id) as that.

    Raises:
        BadInputError: the region is unknown.
    """

    region: str | None = None
    plus_optional: bool = False
    trust_plus: bool = False
    allow_reserved: bool = False
    upgrade_legacy: bool = False

    def __post_init__(self) -> None:
        if self.region is not None and self.region not in SUPPORTED_REGIONS:
            raise BadInputError(
                "the region is no ISO 3166 country code in capitals", hint="for example GB, CN, US"
            )


DEFAULT_PROFILE = Profile()
