"""Public suffixes, from the list that ships with tldextract, private ones (github.io) included; no network."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from ada_url import idna_to_ascii


@dataclass(frozen=True, slots=True)
class _Rules:
    """The list as sets of ASCII names: plain rules, parents of `*` rules, exceptions."""

    plain: frozenset[str]
    wild: frozenset[str]
    exceptions: frozenset[str]


@functools.cache
def _rules() -> _Rules:
    import tldextract  # noqa: PLC0415 it loads an HTTP client that is never used here

    extract = tldextract.TLDExtract(
        suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True, include_psl_private_domains=True
    )
    names = extract.tlds
    ascii_names = [name if name.isascii() else _ascii(name) for name in names]
    return _Rules(
        plain=frozenset(name for name in ascii_names if name[0] not in "*!"),
        wild=frozenset(name[2:] for name in ascii_names if name.startswith("*.")),
        exceptions=frozenset(name[1:] for name in ascii_names if name[0] == "!"),
    )


def _ascii(name: str) -> str:
    mark = name[: len(name) - len(name.lstrip("*.!"))]
    return mark + idna_to_ascii(name[len(mark) :]).decode("ascii")


def is_public_suffix(host: str) -> bool:
    """Tell whether an ASCII host name is itself a public suffix."""
    rules = _rules()
    if host in rules.plain:
        return True
    return host.partition(".")[2] in rules.wild and host not in rules.exceptions


def has_known_suffix(host: str) -> bool:
    """Tell whether the last label of an ASCII host name is a known top-level domain."""
    return host.rpartition(".")[2] in _rules().plain


def registrable(host: str) -> str:
    """Cut an ASCII host name down to its public suffix and one label; a suffix itself is left whole."""
    labels = host.split(".")
    for start in range(len(labels)):
        if is_public_suffix(".".join(labels[start:])):
            return ".".join(labels[max(start - 1, 0) :])
    return ".".join(labels[-2:])
