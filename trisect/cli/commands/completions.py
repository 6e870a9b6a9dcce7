"""Words that the shell can complete; loaded only while it does."""

from __future__ import annotations


def purposes(incomplete: str) -> list[str]:
    """Complete a purpose."""
    from trisect.rules.vocabulary import Purpose  # noqa: PLC0415

    return [known.value for known in Purpose if known.value.startswith(incomplete)]


def kinds(incomplete: str) -> list[str]:
    """Complete a kind of indicator."""
    from trisect.indicators.kinds import KINDS  # noqa: PLC0415

    usable = ["auto", *(spec.kind.value for spec in KINDS.values() if spec.refusal is None)]
    return [name for name in usable if name.startswith(incomplete)]


def readers(incomplete: str) -> list[str]:
    """Complete the name of a reader."""
    from trisect.indicators.readers import ReaderName  # noqa: PLC0415

    return [known.value for known in ReaderName if known.value.startswith(incomplete)]
