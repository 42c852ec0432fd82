"""The bundled calls: synthetic talk, no real people, companies or numbers."""

from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A button of the demo: which recording, and the call around it. ``late_s``: the recording comes that much later."""

    id: str
    title: str
    hint: str
    recording: str = ""
    duration_s: int
    call_type: str = "2"
    failed_code: str = "200"
    phone: str
    client: tuple[str, str]
    deal: str = ""
    employee: str = "12"
    late_s: float = 0.0


STORIES = (
    Story(
        id="complaint", title="Входящая жалоба", hint="74 с: уборка подъезда", recording="01_complaint_incoming",
        duration_s=74, phone="+79005550161", client=("Елена", "Воронцова"), deal="41",
    ),
    Story(
        id="sale", title="Исходящая продажа", hint="70 с: уборка офиса, скидка", recording="02_sales_outgoing",
        duration_s=70, call_type="1", phone="+79005550172", client=("Ирина", "Павлова"), deal="42",
        employee="13",
    ),
    Story(
        id="stereo", title="Разговор в стерео", hint="41 с: видно, кто что сказал", recording="05_stereo_two_channel",
        duration_s=41, phone="+79005550183", client=("Пётр", "Суворов"), deal="43",
    ),
    Story(
        id="wrong", title="Ошиблись номером", hint="6 с: карточки не будет, звонок виден в /calls",
        recording="03_very_short", duration_s=6, phone="+79005550194", client=("", ""),
    ),
    Story(
        id="ringing", title="Гудки без ответа", hint="15 с: речи нет, модель не вызывается",
        recording="04_ringing_no_answer", duration_s=15, call_type="1", phone="+79005550205", client=("", ""),
    ),
    Story(
        id="voicemail", title="Автоответчик", hint="24 с: клиент ничего не сказал", recording="07_voicemail",
        duration_s=24, call_type="1", phone="+79005550216", client=("", ""), employee="13",
    ),
    Story(
        id="late", title="Запись опоздала", hint="появится через 10 с после события", recording="05_stereo_two_channel",
        duration_s=41, phone="+79005550227", client=("Пётр", "Суворов"), deal="43", late_s=10,
    ),
    Story(
        id="missed", title="Пропущенный", hint="трубку не сняли", duration_s=0, failed_code="304",
        phone="+79005550238", client=("Мария", "Ильина"),
    ),
)  # fmt: skip


def recording_bytes(name: str) -> bytes:
    """The mp3 of a bundled call."""
    return resources.files("sandbox").joinpath("calls").joinpath(f"{name}.mp3").read_bytes()
