"""Recognition on our own machine: recordings leave it for nowhere and nothing is paid (the extra `svodka[local]`)."""

from collections.abc import AsyncIterator

from domain.errors import VendorRefused
from integrations.kit.vendor import Finding, Ports, Vendor, Workshop
from integrations.whisper.settings import SPARE, VENDOR_NAME, Settings, read_settings


def build_ports(settings: Settings, _workshop: Workshop) -> Ports:
    """Cheap: the model is loaded with the first recording."""
    from integrations.whisper.stt import WhisperTranscriber

    return Ports(transcriber=WhisperTranscriber(settings))


async def diagnose(settings: Settings, workshop: Workshop) -> AsyncIterator[Finding]:
    """Loads the model once, which takes seconds and its memory for the time of the check: not beside the one at work."""
    from integrations.whisper.stt import WhisperTranscriber

    transcriber = WhisperTranscriber(settings)
    title = "Распознавание на своём сервере"
    yield Finding(code="whisper.route", title=f"{title}: куда уходят записи", ok=True, detail="остаются на этом сервере")
    if workshop.inside:
        return
    try:
        await transcriber.load()
    except VendorRefused as refusal:
        yield Finding(code=f"whisper.{refusal.code}", title=title, ok=False, detail=refusal.code, hint=refusal.hint)
        return
    yield Finding(code="whisper.model", title=title, ok=True, detail=transcriber.model)


VENDOR: Vendor[Settings] = Vendor(
    name=VENDOR_NAME,
    title="Распознавание на своём сервере",
    variables=(SPARE,),  # STT_PROVIDER, STT_MODEL and the others belong to both providers and are declared by openai
    read_settings=read_settings,
    build_ports=build_ports,
    diagnose=diagnose,
)
