"""Speech and language models joined to the process: whichever of the connected vendors offers one."""

from collections.abc import Mapping

from bot.crm import Part
from bot.health import HealthBoard, observed
from domain.ports import Summariser, Transcriber


def transcriber_of(parts: Mapping[str, Part], board: HealthBoard) -> Transcriber | None:
    for part in parts.values():
        if part.ports.transcriber is not None:
            board.add("speech", "Распознавание речи")
            return observed(part.ports.transcriber, "speech", part.vendor.name, board)
    return None


def spare_transcriber_of(parts: Mapping[str, Part]) -> Transcriber | None:
    """A recogniser that costs nothing, for when the money limit is reached."""
    ports = [part.ports.transcriber for part in parts.values()]
    return next((port for port in ports if port is not None and not port.paid), None)


def summariser_of(parts: Mapping[str, Part], board: HealthBoard) -> Summariser | None:
    for part in parts.values():
        if part.ports.summariser is not None:
            board.add("model", "Языковая модель")
            return observed(part.ports.summariser, "model", part.vendor.name, board)
    return None
