"""What may be told of an exact count: noise of the discrete Laplace distribution, then a rounded number.

The noise hides whether any single entry is in either list: with epsilon e, no answer is more than exp(e) times as
likely with that entry as without it. It is drawn exactly, from integers alone, since floating-point samplers leak.
Source: Canonne, Kamath, Steinke, *The Discrete Gaussian for Differential Privacy* (2020), algorithms 1 and 2.
"""

from __future__ import annotations

from fractions import Fraction

from trisect.clock import Randomness

_FARTHEST = 100
"""Noise times epsilon that is exceeded with a chance of e^-100."""
_FINEST = 1_000_000
"""Denominators that an epsilon is taken to at most; the rulebook writes it as a decimal number."""


def told(exact: int, unit: int, epsilon: float, randomness: Randomness) -> int:
    """Give what is told of a count: noised, rounded to a multiple of `unit`, never below 0."""
    noised = exact + discrete_laplace(epsilon, randomness)
    return max(0, (noised + unit // 2) // unit * unit)


def may_be_told(count: int, most: int, unit: int, epsilon: float) -> bool:
    """Tell whether a number may have been told of a count of at most so many; noise beyond is as good as impossible."""
    return count % unit == 0 and count <= most + unit + _FARTHEST / epsilon


def discrete_laplace(epsilon: float, randomness: Randomness) -> int:
    """Draw an integer x with a probability proportional to exp(-epsilon |x|)."""
    rate = Fraction(epsilon).limit_denominator(_FINEST)
    draw = _Draw(randomness)
    while True:
        offset = draw.below(rate.denominator)
        if not draw.exponentially(Fraction(offset, rate.denominator)):
            continue
        whole = 0
        while draw.exponentially(Fraction(1)):
            whole += 1
        size = (offset + rate.denominator * whole) // rate.numerator
        negative = draw.below(2) == 1
        if size or not negative:  # else 0 would be drawn twice as often
            return -size if negative else size


class _Draw:
    def __init__(self, randomness: Randomness) -> None:
        self._randomness = randomness

    def below(self, bound: int) -> int:
        """Draw one of 0 to `bound - 1`, each as likely."""
        size = (bound.bit_length() + 7) // 8
        fair = 256**size - 256**size % bound
        while (drawn := int.from_bytes(self._randomness(size))) >= fair:
            pass
        return drawn % bound

    def exponentially(self, rate: Fraction) -> bool:
        """Draw True with a probability of exp(-rate), for a rate from 0 to 1."""
        tried = 1
        while self.below(rate.denominator * tried) < rate.numerator:
            tried += 1
        return tried % 2 == 1
