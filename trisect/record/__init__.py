"""The public record: an empty room until the tripartite mechanism moves in. No I/O."""
