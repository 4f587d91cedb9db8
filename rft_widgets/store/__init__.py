"""The record store: one SQL code path for SQLite and PostgreSQL, shared by several processes."""
