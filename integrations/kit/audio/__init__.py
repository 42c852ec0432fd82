"""Recordings: what they are, whether somebody speaks, which side speaks, and how to make them fit a recogniser."""

from integrations.kit.audio.gate import SileroGate
from integrations.kit.vendor import Workshop


def build_gate(workshop: Workshop) -> SileroGate:
    """A VoiceGate; its work runs on ``workshop.run_cpu``."""
    return SileroGate(workshop.run_cpu)
