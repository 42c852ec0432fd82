"""The embedded default: a draft summary made without any language model."""

from domain.ports import Summariser
from integrations.extractive.lexicon import load_lexicon
from integrations.extractive.summariser import ExtractiveSummariser


def build_summariser() -> Summariser:
    """A summariser that costs nothing and needs no network; its word lists are read here, once."""
    return ExtractiveSummariser(load_lexicon())
