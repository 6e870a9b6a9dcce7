"""What a published statement does at the coordinator at once."""

from __future__ import annotations

from typing import Any

import pytest
from support.membership import GOVERNMENT, signed
from unit.coordinator.office import Office

from coordinator import services
from trisect.clock import from_text, system_clock
from trisect.trust.filings import Statement
from trisect.trust.statements import Role, Standing, StandingChange
from trisect.wire.v1 import directory_pb2


class Cutting:
    """Stands for relay and gate, and notes what they were told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []

    def cut(self, party: str) -> int:
        self.told.append(("cut", party))
        return 0

    def drop(self, party: str) -> None:
        self.told.append(("drop", party))

    def notify(self, _message: object) -> None:
        self.told.append(("notify", None))


@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.EXPELLED])
async def test_the_coordinator_cuts_a_suspended_party_by_itself(
    office: Office, monkeypatch: pytest.MonkeyPatch, standing: Standing
) -> None:
    """Its peers' nodes do so too, and either alone has to be enough."""
    office.founded().join("telco")
    office.publish(office.consortium.admission("telco", Role.PROVIDER))
    both: Any = Cutting()
    service = services.DirectoryService(office.registry, both, both, system_clock)
    monkeypatch.setattr(services, "caller", lambda: type("Caller", (), {"name": GOVERNMENT}))
    change: Statement = office.consortium.standing("telco", standing)
    if standing is Standing.EXPELLED:
        for change in office.consortium.expulsion("telco"):
            office.now = from_text(change.issued)
            if not isinstance(change, StandingChange):
                office.publish(change)
    envelope = signed(change, GOVERNMENT)
    context: Any = None
    await service.Publish(directory_pb2.PublishRequest(envelope=envelope), context)
    assert set(both.told) == {("cut", "telco"), ("drop", "telco"), ("notify", None)}
