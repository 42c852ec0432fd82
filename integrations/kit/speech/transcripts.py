"""Puts a transcript together from what a recogniser heard: speakers, guards, measures; one way for every recogniser."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.calls import Cost, Speaker, Transcript
from integrations.kit.audio.stereo import SideTrack
from integrations.kit.speech.guards import Heard, clean, measure
from integrations.kit.speech.turns import Word, label


@dataclass(frozen=True, slots=True)
class Side:
    """Who speaks when, by the loudness of two channels; ``left`` is the speaker of the left one."""

    track: SideTrack
    left: Speaker

    def who(self, start: float, end: float) -> Speaker:
        is_left = self.track.is_left(start, end)
        if is_left is None:
            return Speaker.UNKNOWN
        right = Speaker.CLIENT if self.left is Speaker.OPERATOR else Speaker.OPERATOR
        return self.left if is_left else right


def assemble(
    heard: Sequence[Heard],
    *,
    words: Sequence[Word] = (),
    side: Side | None = None,
    timed: bool,
    duration_s: float,
    language: str,
    model: str,
    costs: tuple[Cost, ...] = (),
) -> Transcript:
    """The transcript that the rest of Svodka sees; empty of segments when all of it was invented."""
    labelled = label(heard, words, side.who) if side else heard
    segments, removed = clean(labelled)
    return Transcript(
        segments=segments,
        language=language,
        model=model,
        timed=timed and bool(segments),
        duration_s=duration_s,
        quality=measure(segments, duration_s=duration_s, timed=timed, language=language, removed=removed),
        costs=costs,
    )
