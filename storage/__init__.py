"""The ground: engine, tables, inbox, work and what was said to whom; SQLite by default, PostgreSQL the same."""
