"""What was spent of budgets today, as one node knows it: what others asked of it, and what it asked of others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nodes.members import Members
from trisect.clock import Clock, to_text
from trisect.errors import StaleError
from trisect.rules.permit import Permit
from trisect.rules.regime import Regime
from trisect.rules.vocabulary import Purpose
from trisect.store.budgets import Account, Budgets, Spent
from trisect.store.exchanges import Exchanges


class Spending:
    """Budgets at one node. Called from threads.

    Args:
        members: tells rulebook and grants.
        budgets: what was charged to those who ask here.
        exchanges: has the permits under which this node has asked.
        clock: tells the day.
    """

    def __init__(self, members: Members, budgets: Budgets, exchanges: Exchanges, clock: Clock) -> None:
        self._members = members
        self._budgets = budgets
        self._exchanges = exchanges
        self._clock = clock

    def today(self) -> Sequence[tuple[Spent, int]]:
        """List what was spent on this budget day (UTC), each with its limit; 0 where no rulebook is in force."""
        day = to_text(self._clock())[:10]
        own = Counter[Account]()
        for envelope in self._exchanges.permits_since(f"{day}T00:00:00Z"):
            permit = Permit.peek(envelope)
            if permit.budget_day == day:
                own[Account(permit.asker, permit.answerer, permit.purpose)] += permit.budget
        spent = [one for one in self._budgets.since(day) if one.day == day]
        spent += [Spent(account, day, elements) for account, elements in own.items()]
        return [(one, self._limit(one)) for one in spent]

    def _limit(self, spent: Spent) -> int:
        regime, account = Regime(self._members.membership), spent.account
        try:
            rulebook = regime.rulebooks.at(self._clock())
        except StaleError:
            return 0
        return regime.budget(
            account.asker, account.answerer, Purpose(account.purpose), spent.day, rulebook.hash
        )
