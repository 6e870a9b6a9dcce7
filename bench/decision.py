"""A decision: what asker, answerer and coordinator spend on judging one permit, each for itself, and all three.

Run: python bench/decision.py [parties]. The consortium has a rulebook from a template, and a notice of every party.
"""

from __future__ import annotations

import datetime as dt
import itertools
import statistics
import sys
import time

from bench import machine
from trisect.clock import system_clock, system_randomness, to_text
from trisect.indicators.kinds import Kind
from trisect.rules.drafting import draft
from trisect.rules.notices import Notice
from trisect.rules.offers import Offer
from trisect.rules.permit import Answer, Permit, judge, preview, propose
from trisect.rules.regime import Regime
from trisect.rules.reviews import of_vetting
from trisect.rules.rulebook import Rulebook
from trisect.trust import documents
from trisect.trust.canonical_json import Json
from trisect.trust.filings import Filing, NoticeFiling, RulebookFiling, SourceReviewFiling, Statement
from trisect.trust.keys import IdentityKey, PartyName, SealingKey
from trisect.trust.membership import Membership
from trisect.trust.statements import Admission, KeyCheck, PartyKeys, Role, Vetting

PARTIES = 100
DECISIONS = 2_000
CONSORTIUM = "bench"
GOVERNMENT = PartyName("government")
LIFE = dt.timedelta(days=100)
NOW = system_clock().replace(microsecond=0)
_NOTICE = """\
title = "Bench"
text = "Bench."
text_zh = "Bench."
contact = "nobody"
storage_place = "here"
valid_from = {begins}
valid_until = {ends}
[[processing]]
purpose = "scam-prevention"
kinds = ["phone", "url", "domain"]
sources = ["public"]
obtained = "lists"
legal_basis = ["statutory-duty"]
retention_days = 90
recipients = ["all"]
ai_uses = ["none"]
"""


def consortium(parties: int) -> Membership:
    """Found a consortium of providers with notices, and a rulebook."""
    membership = Membership(CONSORTIUM)
    keys = {GOVERNMENT: IdentityKey.generate(system_randomness)}
    sealing = SealingKey.generate(system_randomness).public
    vetting = Vetting("bench", "bench", to_text(NOW + LIFE))

    def take(statement: Statement) -> None:
        membership.apply(documents.sign(statement.KIND, statement.to_body(), [keys[statement.issuer]]))

    for number in range(parties + 1):
        name = PartyName(f"party-{number}") if number else GOVERNMENT
        keys[name] = keys.get(name) or IdentityKey.generate(system_randomness)
        take(
            Admission(
                consortium=CONSORTIUM,
                party=name,
                role=Role.PROVIDER if number else Role.GOVERNMENT,
                keys=PartyKeys.bind(keys[name], sealing),
                key_check=KeyCheck.FINGERPRINT if number else KeyCheck.FOUNDER,
                serial=1,
                issuer=GOVERNMENT,
                issued=to_text(NOW),
                vetting=vetting,
            )
        )
    rulebook = Rulebook.parse(*draft("telco-bank", version=1, begins=NOW, ends=NOW + LIFE, approvals=1))
    take(_filing(RulebookFiling, GOVERNMENT, rulebook.content))
    text = _NOTICE.format(begins=to_text(NOW), ends=to_text(NOW + LIFE))
    for name in keys:
        if name != GOVERNMENT:
            take(_filing(NoticeFiling, name, Notice.parse(text, Role.PROVIDER).content))
            for serial, source in enumerate(keys.keys() - {name, GOVERNMENT}, 1):
                review = of_vetting(source, vetting)
                take(_filing(SourceReviewFiling, name, review.to_body(), serial))
    return membership


def _filing(kind: type[Filing], party: PartyName, content: dict[str, Json], serial: int = 1) -> Filing:
    return kind(
        consortium=CONSORTIUM, party=party, content=content, serial=serial, issuer=party, issued=to_text(NOW)
    )


def main(parties: int = PARTIES) -> None:
    """Measure."""
    membership = consortium(parties)
    regime = Regime(membership)
    (rulebook,) = regime.rulebooks
    spent: dict[str, list[float]] = {
        "asker, before": [],
        "answerer": [],
        "coordinator": [],
        "asker": [],
        "all": [],
    }
    for number in range(DECISIONS):
        asker, answerer = (f"party-{1 + (number + at) % parties}" for at in (0, 1))
        offer = _offer(membership, rulebook, regime, asker, answerer)
        answer = Answer(bytes(16), "c", 1, frozenset({Kind.PHONE}), "statutory-duty", 1_024, 90)
        marks = [time.perf_counter()]
        preview(offer, Regime(membership))
        marks.append(time.perf_counter())
        permit: Permit = propose(offer, bytes(32), answer, Regime(membership))
        marks.append(time.perf_counter())
        for _ in range(2):
            judge(permit, offer, bytes(32), Regime(membership))
            marks.append(time.perf_counter())
        parts = [later - earlier for earlier, later in itertools.pairwise(marks)]
        for name, part in zip(spent, [*parts, sum(parts[1:])], strict=True):
            spent[name].append(part * 1e3)
    for name, times in spent.items():
        hundredth = statistics.quantiles(times, n=100)[98]
        print(f"decision, {name:14} median {statistics.median(times):6.2f} ms   p99 {hundredth:6.2f} ms")


def _offer(membership: Membership, rulebook: Rulebook, regime: Regime, asker: str, answerer: str) -> Offer:
    return Offer(
        consortium=CONSORTIUM,
        exchange=system_randomness(16),
        attempt=1,
        asker=asker,
        asker_key=membership.party(asker).keys.identity.fingerprint,
        answerer=answerer,
        answerer_key=membership.party(answerer).keys.identity.fingerprint,
        purpose="scam-prevention",
        mode="match",
        engine="ecdh",
        pepper_epoch=0,
        collection="c",
        version=1,
        kinds="phone",
        basis="statutory-duty",
        consents="",
        asked_padded=1_024,
        rulebook=rulebook.hash,
        notice=regime.notice_hash(asker),
        head="",
        share=b"",
        details=b"",
        created=to_text(NOW),
        expires=to_text(NOW + dt.timedelta(minutes=2)),
    )


if __name__ == "__main__":
    machine.tell()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PARTIES)
