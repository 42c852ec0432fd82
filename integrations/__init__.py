"""The edge: one folder per vendor, and the kit they share."""
