"""Transcripts: cleaning out what a model invented, who spoke, numbers in words, proof of statements, private numbers."""
