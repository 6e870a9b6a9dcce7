"""gRPC as all daemons and the command use it: status mapping, TLS, authorisation, interceptors."""
