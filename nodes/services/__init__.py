"""The node's gRPC services for its administrator: translate, call, translate back."""
