//! The store: facts, rows and owed effects in one transaction, on SQLite or PostgreSQL.
