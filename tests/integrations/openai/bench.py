"""What the tests of this folder build by hand."""

from domain.calls import Quality, Segment, Transcript, VoiceCheck, VoiceVerdict


def check(duration_s: float, *, stereo: bool = False) -> VoiceCheck:
    return VoiceCheck(verdict=VoiceVerdict.SPEECH, duration_s=duration_s, speech_s=1.0, stereo=stereo)


def transcript(*texts: str, timed: bool = True) -> Transcript:
    segments = tuple(Segment(start=i * 10.0, end=i * 10.0 + 9, text=text) for i, text in enumerate(texts))
    return Transcript(segments=segments, language="ru", model="m", timed=timed, duration_s=99.0, quality=Quality())
