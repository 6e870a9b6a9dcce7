"""Keys, signed documents, certificates, peppers under seal and the sealed channel. No I/O."""
