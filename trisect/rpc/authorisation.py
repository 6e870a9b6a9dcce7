"""Who may call what: one row per RPC, and no RPC without a row.

A method that is missing here cannot be called, and a test compares the table with the contract.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType


class Access(enum.Enum):
    """Whom a method serves."""

    INVITED = "the holder of an invitation"
    ENROLLED = "a party with a certificate that is not expelled, admitted or not, suspended or not"
    MEMBER = "an admitted party that is active"
    GOVERNMENT = "an admitted, active government party"
    ADMINISTRATOR = "whoever may open the daemon's socket"
    APP = "a program of a proxy that has a credential of the proxy's node"
    ANYONE = "any caller that passed the transport"


_WIRE = "/trisect.wire.v1."

TABLE: Mapping[str, Access] = MappingProxyType(
    {
        f"{_WIRE}{method}": access
        for access, methods in {
            Access.INVITED: ("Enrolment/Redeem",),
            Access.ENROLLED: (
                "Enrolment/Renew",
                "Directory/ListStatements",
                "Directory/Publish",
                "Relay/Attach",
                "Relay/Deliver",
                "Relay/Notify",
                "Relay/EnterReceipt",
                "Record/GetKey",
                "Record/GetHead",
                "Record/ListEntries",
            ),
            Access.GOVERNMENT: ("Directory/ListApplicants",),
            Access.MEMBER: (
                "Relay/Call",
                "Relay/IssuePermit",
                "Relay/Exchange",
                "Record/Cosign",
                "Record/Restore",
            ),
            Access.APP: (
                "Persons/Grant",
                "Persons/GrantMany",
                "Persons/Revoke",
                "Persons/List",
                "Persons/GetReceipt",
                "Persons/Delegate",
                "Persons/RevokeDelegated",
                "Persons/ListDelegated",
            ),
            Access.ADMINISTRATOR: (
                "Credentials/IssueCredential",
                "Credentials/ListCredentials",
                "Credentials/RevokeCredential",
                "CoordinatorAdmin/Invite",
                "CoordinatorAdmin/GetCoordinatorStatus",
                "NodeAdmin/GetStatus",
                "NodeAdmin/ListParties",
                "NodeAdmin/Admit",
                "NodeAdmin/ChangeStanding",
                "NodeAdmin/SucceedKeys",
                "NodeAdmin/GetPepperStatus",
                "NodeAdmin/RotatePepper",
                "Governance/GetRegime",
                "Governance/FileDocument",
                "Governance/ListBudgets",
                "Governance/ListBreaches",
                "Governance/ListLeaks",
                "Governance/GetMeter",
                "Governance/CheckNotice",
                "Governance/SimulateRulebook",
                "Governance/InspectParty",
                "Governance/PublishProposal",
                "Consents/GrantConsent",
                "Consents/RevokeConsent",
                "Consents/ListConsents",
                "Consents/GetConsentReceipt",
                "Consents/GiveDelegation",
                "Consents/RevokeDelegation",
                "Consents/ListDelegations",
                "Collections/ListCollections",
                "Collections/CountLabels",
                "Collections/ShareCollection",
                "Collections/UnshareCollection",
                "Collections/DeleteCollection",
                "Collections/Import",
                "Collections/ChangeEntry",
                "Matching/StartMatch",
                "Matching/ExplainMatch",
                "Matching/WatchExchange",
                "Matching/ListExchanges",
                "Matching/CancelExchange",
                "Matching/HoldHits",
                "Matching/DropHits",
                "Matching/GetPermit",
                "Proofs/ProveEntry",
                "Proofs/CheckProof",
                "Matching/ListHits",
                "RecordAdmin/GetRecord",
                "RecordAdmin/GetRecordProof",
                "RecordAdmin/ListRecord",
                "Schedules/AddSchedule",
                "Schedules/ListSchedules",
                "Schedules/RemoveSchedule",
            ),
        }.items()
        for method in methods
    }
    | {
        "/grpc.health.v1.Health/Check": Access.ANYONE,
        "/grpc.health.v1.Health/Watch": Access.ANYONE,
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": Access.ANYONE,
    }
)
