"""Collections, sharings, imports and single entries of a node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from nodes.config import Import
from nodes.intake import Intake, Step, Target
from nodes.peppers import Peppers
from nodes.untreated import Spelling, kind_or_auto, stored
from trisect.clock import system_clock, system_randomness, to_text
from trisect.errors import BadInputError, NotFoundError, TimedOutError
from trisect.indicators.entries import Entry, RawRow, to_entry
from trisect.indicators.forms import Profile
from trisect.indicators.labels import State, channel
from trisect.rpc.authentication import Context
from trisect.rules.terms import HitUse, Terms, retention, uses
from trisect.rules.vocabulary import (
    Mode,
    Purpose,
    checked_basis,
    collection_name,
    modes,
    purpose,
    recipient,
)
from trisect.store.collections import Collection, Collections, EntryRow, SharingRow
from trisect.wire.v1 import collections_pb2 as pb
from trisect.wire.v1 import collections_pb2_grpc

FIRST_MESSAGE_S = 30.0
REJECTS_A_REPLY = 4096
_STATES = {
    pb.ChangeEntryRequest.ACT_RETRACT: State.RETRACTED,
    pb.ChangeEntryRequest.ACT_CONTEST: State.CONTESTED,
    pb.ChangeEntryRequest.ACT_LIFT: State.LIFTED,
    pb.ChangeEntryRequest.ACT_CONFIRM: State.ACTIVE,
}
_DECISIONS = {pb.ChangeEntryRequest.ACT_LIFT, pb.ChangeEntryRequest.ACT_CONFIRM}
"""Acts that end a contest."""


@dataclass(frozen=True, slots=True)
class CollectionsService(collections_pb2_grpc.CollectionsServicer):
    """What an administrator does with lists."""

    collections: Collections
    intake: Intake
    peppers: Peppers
    current_defaults: Callable[[], Import]
    require_notice: Callable[[], None]
    """Raises DeniedError where this party may contribute nothing, since it has told nobody what it does."""
    terms: Callable[[str, str, Purpose, Sequence[Mode], Sequence[HitUse], int], bytes]
    """Signs the terms of a sharing, as `nodes.offering.Offering.terms`."""
    count_meant: Callable[[str], int]
    """Tells how many other parties are meant by the recipient of a sharing."""
    allow_reserved: bool

    @property
    def defaults(self) -> Import:
        """What an import has unless it says otherwise."""
        return self.current_defaults()

    def profile(self, region: str) -> Profile:
        """Tell how a single value of a region, empty for the default one, is read."""
        return self._profile(pb.ImportBegin(region=region))

    async def ListCollections(  # noqa: N802
        self, _request: pb.ListCollectionsRequest, _context: Context
    ) -> pb.ListCollectionsReply:
        """List all collections with their sharings."""
        found = await asyncio.to_thread(self.collections.list)
        return pb.ListCollectionsReply(
            collections=[await self._describe(collection, counts) for collection, *counts in found]
        )

    async def CountLabels(  # noqa: N802
        self, request: pb.CountLabelsRequest, _context: Context
    ) -> pb.CountLabelsReply:
        """Count what the entries of a collection say."""
        found = await asyncio.to_thread(
            self.collections.labels, request.collection, channel(request.channel) if request.channel else None
        )
        return pb.CountLabelsReply(
            counts=[
                pb.LabelCount(field=field, value=value, entries=count)
                for field, values in found.items()
                for value, count in values.items()
            ]
        )

    async def ShareCollection(  # noqa: N802
        self, request: pb.ShareCollectionRequest, _context: Context
    ) -> pb.ShareCollectionReply:
        """Share a collection with somebody for a purpose."""
        self.require_notice()
        whom, why = recipient(getattr(request.sharing, "with")), purpose(request.sharing.purpose)
        wanted = modes(",".join(request.sharing.modes))
        shared = await asyncio.to_thread(self.collections.get, request.collection)
        kept = retention(request.sharing.retention_days, shared.retention_days)
        signed = self.terms(shared.public_id, whom, why, wanted, uses(request.sharing.use), kept)
        rows = [SharingRow(whom, why.value, mode.value, signed) for mode in wanted]
        await asyncio.to_thread(self.collections.share, request.collection, rows)
        return pb.ShareCollectionReply(
            collection=await self._one(request.collection), parties_meant=self.count_meant(rows[0].recipient)
        )

    async def UnshareCollection(  # noqa: N802
        self, request: pb.UnshareCollectionRequest, _context: Context
    ) -> pb.UnshareCollectionReply:
        """Take a sharing back."""
        wanted = recipient(getattr(request, "with"))
        only = purpose(request.purpose).value if request.purpose else None
        await asyncio.to_thread(self.collections.unshare, request.collection, wanted, only)
        return pb.UnshareCollectionReply(collection=await self._one(request.collection))

    async def DeleteCollection(  # noqa: N802
        self, request: pb.DeleteCollectionRequest, _context: Context
    ) -> pb.DeleteCollectionReply:
        """Delete a collection with all it holds."""
        return pb.DeleteCollectionReply(
            entries=await asyncio.to_thread(self.collections.delete, request.collection)
        )

    async def Import(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.ImportRequest], _context: Context
    ) -> AsyncIterator[pb.ImportReply]:
        """Import rows into a collection."""
        try:
            async with asyncio.timeout(FIRST_MESSAGE_S):
                first = await anext(request_iterator, None)
        except TimeoutError as error:
            raise TimedOutError("the importing command fell silent") from error
        if first is None or not first.HasField("begin"):
            raise BadInputError(
                "an import begins with its options", hint="bring both ends to the same version of Trisect"
            )
        async for step in self.import_steps(first.begin, _batches(request_iterator)):
            for reply in _replies(step):
                yield reply

    async def import_steps(
        self, begin: pb.ImportBegin, batches: AsyncIterator[pb.RawBatch]
    ) -> AsyncIterator[Step]:
        """Import batches that somebody else reads.

        Raises:
            BadInputError: options that cannot be.
            DeniedError: others may ask the collection, and this party has no notice in force.
        """
        target = self._target(begin)
        await self._check_contribution(begin.collection)
        async for step in self.intake.run(target, batches):
            yield step

    def check_begin(self, begin: pb.ImportBegin) -> None:
        """Check an import's options; raises BadInputError."""
        self._target(begin)

    async def ChangeEntry(  # noqa: N802
        self, request: pb.ChangeEntryRequest, _context: Context
    ) -> pb.ChangeEntryReply:
        """Add, show or change the state of one entry, named by its value or its reference."""
        if request.act == pb.ChangeEntryRequest.ACT_ADD:
            return _entries(await self._add(request))
        token = self._entry(request).token if request.value else None
        if token is None and not request.ref:
            raise BadInputError(
                "name the entry by its value (stdin) or by --ref",
                hint="send the value on stdin, or give --ref with --collection",
            )
        if request.act == pb.ChangeEntryRequest.ACT_SHOW:
            if token is not None:
                return _entries(await asyncio.to_thread(self.collections.entries_of, token))
            return _entries(
                await asyncio.to_thread(self.collections.entries_by_ref, request.collection, request.ref)
            )
        state = _STATES.get(request.act)
        if state is None:
            raise BadInputError(
                "this node's version does not know that act",
                hint="bring both ends to the same version of Trisect",
            )
        return _entries(
            await asyncio.to_thread(
                self.collections.set_state,
                request.collection,
                state,
                token=token,
                ref=request.ref or None,
                only=State.CONTESTED if request.act in _DECISIONS else None,
                now=to_text(system_clock()),
            )
        )

    async def _check_contribution(self, name: str) -> None:
        """What others may ask grows only while people are told of it."""
        try:
            shared = await asyncio.to_thread(self.collections.sharings, name)
        except NotFoundError:
            return
        if shared:
            self.require_notice()

    async def _add(self, request: pb.ChangeEntryRequest) -> Sequence[EntryRow]:
        await self._check_contribution(request.collection)
        epoch = self.peppers.epoch
        entry = self._entry(request)
        if not entry.ref:  # a hit leads back by it
            day, some = to_text(system_clock())[:10].replace("-", ""), system_randomness(4).hex()
            entry = entry._replace(ref=f"added-{day}-{some}")
        await self.intake.add_one(
            collection_name(request.collection),
            stored(entry),
            epoch=epoch,
            source=self.defaults.source,
            legal_basis=self.defaults.legal_basis,
            retention_days=self.defaults.retention_days,
        )
        return await asyncio.to_thread(self.collections.entries_of, entry.token)

    def _entry(self, request: pb.ChangeEntryRequest) -> Entry:
        fields = dict.fromkeys(RawRow._fields, "") | {
            name: getattr(request, name)
            for name in RawRow._fields
            if hasattr(request, name) and name != "kind"  # the caller's word, `auto` too; not a row's
        }
        return to_entry(
            RawRow(**fields),
            default_kind=kind_or_auto(request.kind),
            profile=self.profile(request.region),
            tokeniser=self.peppers.tokeniser(),
        )

    def _target(self, begin: pb.ImportBegin) -> Target:
        return Target(
            collection=collection_name(begin.collection),
            spelling=Spelling(kind_or_auto(begin.kind), self._profile(begin)),
            source=begin.source or self.defaults.source,
            legal_basis=checked_basis(begin.legal_basis or self.defaults.legal_basis),
            retention_days=begin.retention_days or self.defaults.retention_days,
            fingerprint=begin.fingerprint,
            replace=begin.replace,
            allow_large_drop=begin.allow_large_drop,
        )

    def _profile(self, begin: pb.ImportBegin) -> Profile:
        return Profile(
            region=begin.region or self.defaults.region or None,
            plus_optional=begin.plus_optional,
            trust_plus=begin.trust_plus,
            allow_reserved=self.allow_reserved,
            upgrade_legacy=begin.upgrade_legacy,
        )

    async def _one(self, name: str) -> pb.Collection:
        found = await asyncio.to_thread(self.collections.list)
        for collection, *counts in found:
            if collection.name == name:
                return await self._describe(collection, counts)
        raise BadInputError(
            "the collection was deleted meanwhile", hint="import the list anew, if it is still wanted"
        )

    async def _describe(self, collection: Collection, counts: Sequence[int]) -> pb.Collection:
        rows = await asyncio.to_thread(self.collections.sharings, collection.name)
        kinds = await asyncio.to_thread(self.collections.kinds, collection.name)
        described = pb.Collection(
            name=collection.name,
            source=collection.source,
            legal_basis=collection.legal_basis,
            retention_days=collection.retention_days,
            entries=counts[0],
            retracted=counts[1],
            version=collection.version,
            created_at=collection.created_at,
            kinds=sorted(kinds),
        )
        for (whom, why, signed), same in groupby(
            rows, key=lambda row: (row.recipient, row.purpose, row.terms)
        ):
            sharing = pb.Sharing(purpose=why, modes=[row.mode for row in same], **{"with": whom})
            if signed:
                terms = Terms.peek(signed)
                sharing.use.extend(terms.use.split(","))
                sharing.retention_days = terms.retention_days
                sharing.onward, sharing.issued = terms.onward, terms.issued
            described.sharings.append(sharing)
        return described


async def _batches(requests: AsyncIterator[pb.ImportRequest]) -> AsyncIterator[pb.RawBatch]:
    async for request in requests:
        match request.WhichOneof("step"):
            case "batch":
                yield request.batch
            case "finish":
                return
            case _:
                raise BadInputError(
                    "an import sent a step out of turn", hint="bring both ends to the same version of Trisect"
                )
    raise BadInputError("the import was cut short", hint="repeat it: it goes on where it stopped")


def _replies(step: Step) -> Iterator[pb.ImportReply]:
    """Write a step as replies that each fit into a message; only rejects can be too many for one."""
    for at in range(0, max(1, len(step.rejects)), REJECTS_A_REPLY):
        rejects = step.rejects[at : at + REJECTS_A_REPLY]
        yield pb.ImportReply(
            batches_done=step.progress.batches_done,
            rows=step.progress.rows,
            accepted=step.progress.accepted,
            duplicates=step.progress.duplicates,
            rejected=step.progress.rejected,
            rejects=[pb.Reject(where=row.where, kind=row.kind, reason=row.reason) for row in rejects],
            finished=step.finished,
            retracted=step.retracted,
            collection_version=step.version,
        )


def _entries(rows: Sequence[EntryRow]) -> pb.ChangeEntryReply:
    return pb.ChangeEntryReply(
        entries=[
            pb.EntryInfo(
                collection=row.collection,
                kind=row.kind,
                ref=row.ref,
                state=row.state.value,
                category=row.category,
                fraud_role=row.fraud_role,
                confidence="" if row.confidence is None else str(row.confidence),
                first_seen=row.first_seen,
                last_seen=row.last_seen,
                channel=row.channel,
                ai_technique=row.ai_technique,
                contested_at=row.contested_at,
            )
            for row in rows
        ]
    )
