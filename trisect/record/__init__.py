"""The public record: a Merkle tree, its signed heads, and proofs. No I/O."""
