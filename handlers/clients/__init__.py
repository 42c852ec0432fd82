"""One person with everything that happened to them, and whether they are one."""
