"""The contract itself, for tests of who may call what."""

from __future__ import annotations

import importlib
import pkgutil

from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

import trisect.wire.v1


def methods() -> set[str]:
    """Give the full name of every RPC of the contract and of gRPC's own services that we serve."""
    found = set()
    files = [health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR]
    files += [
        importlib.import_module(f"trisect.wire.v1.{module.name}").DESCRIPTOR
        for module in pkgutil.iter_modules(trisect.wire.v1.__path__)
        if module.name.endswith("_pb2")
    ]
    for file in files:
        for service in file.services_by_name.values():
            found |= {f"/{service.full_name}/{method.name}" for method in service.methods}
    return found
