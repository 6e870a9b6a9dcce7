"""Indicators of fraud: kinds, canonical forms, tokens, labels and entries.

The data walk begins here: a row of a file becomes a canonical form, that becomes a token, and the raw value
dies (`entries.to_entry`). Only `readers` touches files. Not here: storage, sharing, matching.
"""
