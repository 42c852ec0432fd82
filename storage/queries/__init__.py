"""Questions asked of the database: one function each, used by every surface, answered in frozen dataclasses."""
