"""Terms of the W3C Data Privacy Vocabulary (DPV 2.3) for what notices, consents and permits say.

Where DPV has a wider term only, that one is given; for PIPL and ATOFL it has none, and clauses are cited as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from trisect.indicators.kinds import Kind
from trisect.rules.vocabulary import AiUse, BasisName, Purpose, Source

DPV = "https://w3id.org/dpv#"
PD = "https://w3id.org/dpv/pd#"
_TERMS: Mapping[StrEnum, str] = {
    Purpose.SCAM_PREVENTION: "FraudPreventionAndDetection",
    Purpose.PAYMENT_CHECK: "CounterMoneyLaundering",
    Purpose.CALL_SCREENING: "MaintainFraudDatabase",
    Purpose.LEAK_TRACING: "EnforceSecurity",
    Purpose.RIGHTS: "RightsFulfilment",
    Purpose.SUPERVISION: "LegalCompliance",
    BasisName.STATUTORY_DUTY: "LegalObligation",
    BasisName.PUBLIC_INTEREST: "PublicInterest",
    BasisName.CONTRACT: "Contract",
    BasisName.CONSENT: "Consent",
    BasisName.LEGITIMATE_INTEREST: "LegitimateInterest",
    BasisName.VITAL_INTEREST: "VitalInterest",
    Source.PERSON: "DataSubjectDataSource",
    Source.PUBLIC: "PublicDataSource",
    Source.OTHER_PARTY: "ThirdPartyDataSource",
    Source.OWN_OPERATION: "NonPublicDataSource",
    AiUse.DETECTION: "Analyse",
    AiUse.SCORING: "ScoringOfIndividuals",
    AiUse.PROFILING: "Profiling",
    AiUse.AUTOMATED_DECISION: "AutomatedDecisionMaking",
}
_CATEGORIES: Mapping[Kind, str] = {
    Kind.PHONE: "TelephoneNumber",
    Kind.IBAN: "BankAccount",
    Kind.BANK_ACCOUNT: "BankAccount",
    Kind.PAYMENT_CARD: "PaymentCardNumber",
    Kind.PAYMENT_HANDLE: "FinancialAccount",
    Kind.WALLET: "FinancialAccount",
    Kind.EMAIL: "EmailAddress",
    Kind.IP: "IPAddress",
    Kind.DEVICE: "DeviceBased",
    Kind.IMEI: "DeviceBased",
    Kind.IMSI: "DeviceBased",
    Kind.NATIONAL_ID: "OfficialID",
    Kind.PASSPORT: "Passport",
    Kind.SOCIAL_ACCOUNT: "SocialMedia",
    Kind.MEDIA: "Picture",
    Kind.VOICEPRINT: "Biometric",
    Kind.FACE_TEMPLATE: "FacialPrint",
    Kind.ADDRESS: "PhysicalAddress",
    Kind.LOCATION: "Location",
    Kind.BROWSING: "BrowsingBehaviour",
    Kind.CONSUMPTION: "PurchasesAndSpendingHabit",
    Kind.PERSON: "Name",
}


def iri(word: Purpose | BasisName | Source | AiUse | Kind) -> str:
    """Give the IRI of DPV's term for a word, empty where DPV has none."""
    if isinstance(word, Kind):
        return PD + _CATEGORIES[word] if word in _CATEGORIES else ""
    return DPV + _TERMS[word] if word in _TERMS else ""
