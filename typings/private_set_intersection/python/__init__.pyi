from collections.abc import Sequence

class psi:
    class data_structure:
        Raw: object

    class _Message:
        def save(self) -> bytes: ...

    class cpp_proto_server_setup(_Message):
        @staticmethod
        def Load(data: bytes) -> psi.cpp_proto_server_setup: ...

    class cpp_proto_request(_Message):
        @staticmethod
        def Load(data: bytes) -> psi.cpp_proto_request: ...

    class cpp_proto_response(_Message):
        @staticmethod
        def Load(data: bytes) -> psi.cpp_proto_response: ...

    class cpp_client:
        @staticmethod
        def CreateWithNewKey(reveal: bool) -> psi.cpp_client: ...
        def CreateRequest(self, items: Sequence[bytes]) -> psi._Message: ...
        def GetIntersection(
            self, setup: psi.cpp_proto_server_setup, response: psi.cpp_proto_response
        ) -> list[int]: ...

    class cpp_server:
        @staticmethod
        def CreateWithNewKey(reveal: bool) -> psi.cpp_server: ...
        def CreateSetupMessage(
            self, fpr: float, count: int, items: Sequence[bytes], structure: object
        ) -> psi._Message: ...
        def ProcessRequest(self, request: psi.cpp_proto_request) -> psi._Message: ...
