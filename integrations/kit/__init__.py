"""What vendor folders share: the shape of a vendor, the HTTP client, form decoding, signatures, audio."""
