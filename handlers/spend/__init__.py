"""Money spent on ads, told in words: read, checked with whoever said it, counted, changed and taken back in the chat."""
