"""What a daemon keeps: SQLite by default, PostgreSQL at scale, one implementation over SQLAlchemy Core.

Synchronous throughout; daemons call it in threads.
"""
