"""STIX patterns, as far as they say "one of these values": equality comparisons joined by OR.

Grammar after STIX 2.1, section 9. What means more than that is refused by name: other operators, NOT,
qualifiers (REPEATS, WITHIN, START), FOLLOWEDBY, and an AND of several observables. An AND of properties of
one object comes back as one conjunction, since it may still describe a single thing.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from trisect.indicators.readers.batch import Reason

_MAX_CHARS: Final = 1 << 16
_MAX_DEPTH: Final = 32
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<word>[A-Z]+(?![\w:.-]))"
    r"|(?P<path>[a-z0-9-]+:[\w-]+(?:\[[^\]'\s]*\]|\.[\w-]+|\.?'(?:[^'\\]|\\.)*+')*+)"
    r"|(?P<text>'(?:[^'\\]|\\.)*+')"
    r"|(?P<other>[bht]'(?:[^'\\]|\\.)*+'|[+-]?\d[\d.]*(?:[eE][+-]?\d+)?|true\b|false\b)"
    r"|(?P<operator>!=|<=|>=|<>|==|=|<|>)"
    r"|(?P<mark>[\[\](),]))",
    re.DOTALL,
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


class Comparison(NamedTuple):
    """One `path = 'value'`; quotes inside the path are taken off."""

    path: str
    value: str


Conjunction = tuple[Comparison, ...]


class PatternError(Exception):
    """A pattern that is not read, with the reason; never holds the pattern."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class _Token(NamedTuple):
    type: str
    text: str


def parse_pattern(pattern: str) -> list[Conjunction]:
    """Read a pattern into its alternatives, in order.

    Raises:
        PatternError: BAD_PATTERN, UNSUPPORTED_PATTERN or SEVERAL_OBSERVABLES.
    """
    if len(pattern) > _MAX_CHARS:
        raise PatternError(Reason.TOO_LONG)
    parser = _Parser(_tokens(pattern))
    found = parser.observations(0)
    parser.finish()
    return found


def _tokens(pattern: str) -> list[_Token]:
    tokens: list[_Token] = []
    at, end = 0, len(pattern.rstrip())
    while at < end:
        match = _TOKEN.match(pattern, at)
        if match is None or match.lastgroup is None:
            raise PatternError(Reason.BAD_PATTERN)
        tokens.append(_Token(match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens


class _Parser:
    """Recursive descent over the tokens of one pattern."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def observations(self, depth: int) -> list[Conjunction]:
        """`[...] OR [...]`, in brackets or not."""
        found = self._observation(depth)
        while self._take("OR"):
            found = found + self._observation(depth)
        if self._peek().text in ("AND", "FOLLOWEDBY"):
            raise PatternError(Reason.SEVERAL_OBSERVABLES)
        return found

    def finish(self) -> None:
        """Refuse what follows the last observation: a qualifier, or rubbish."""
        rest = self._peek()
        if rest.type == "word":
            raise PatternError(Reason.UNSUPPORTED_PATTERN)
        if rest.type:
            raise PatternError(Reason.BAD_PATTERN)

    def _observation(self, depth: int) -> list[Conjunction]:
        self._check(depth)
        closing = ")" if self._take("(") else "]"
        if closing == ")":
            found = self.observations(depth + 1)
        else:
            self._need("[")
            found = self._alternatives(depth + 1)
        self._need(closing)
        if self._peek().text in ("WITHIN", "REPEATS", "START", "STOP"):
            raise PatternError(Reason.UNSUPPORTED_PATTERN)
        return found

    def _alternatives(self, depth: int) -> list[Conjunction]:
        found = self._conjunction(depth)
        while self._take("OR"):
            found = found + self._conjunction(depth)
        return found

    def _conjunction(self, depth: int) -> list[Conjunction]:
        found = self._comparison(depth)
        while self._take("AND"):
            more = self._comparison(depth)
            if len(found) > 1 or len(more) > 1:
                raise PatternError(Reason.SEVERAL_OBSERVABLES)
            found = [found[0] + more[0]]
        return found

    def _comparison(self, depth: int) -> list[Conjunction]:
        self._check(depth)
        if self._take("("):
            found = self._alternatives(depth + 1)
            self._need(")")
            return found
        path, operator = self._next(), self._next()
        if path.type == "word" or (path.type == "path" and operator.type == "word"):
            raise PatternError(Reason.UNSUPPORTED_PATTERN)  # NOT, EXISTS; LIKE, MATCHES, IN, ISSUBSET
        if path.type != "path" or operator.type != "operator":
            raise PatternError(Reason.BAD_PATTERN)
        if operator.text not in ("=", "=="):
            raise PatternError(Reason.UNSUPPORTED_PATTERN)
        value = self._next()
        if value.type == "other":
            return [(Comparison(_plain_path(path.text), ""),)]
        if value.type != "text":
            raise PatternError(Reason.BAD_PATTERN)
        return [(Comparison(_plain_path(path.text), _ESCAPED.sub(r"\1", value.text[1:-1])),)]

    def _check(self, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise PatternError(Reason.UNSUPPORTED_PATTERN)

    def _peek(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _Token("", "")

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def _take(self, text: str) -> bool:
        if self._peek() in (_Token("word", text), _Token("mark", text)):
            self._at += 1
            return True
        return False

    def _need(self, mark: str) -> None:
        if not self._take(mark):
            raise PatternError(Reason.BAD_PATTERN)


def _plain_path(path: str) -> str:
    return path.replace("'", "")
