"""OpenAI and every server that speaks its interface: speech to text and summaries, two roles that need not meet."""

from collections.abc import AsyncIterator

from integrations.kit.vendor import Finding, Ports, Vendor, Workshop
from integrations.openai.faults import VENDOR_NAME
from integrations.openai.settings import VARIABLES, Settings, read_settings


def build_ports(settings: Settings, workshop: Workshop) -> Ports:
    """The roles that are switched on; a model that is not named is chosen by today's date (UTC)."""
    from integrations.openai.llm import OpenAISummariser
    from integrations.openai.models import default_model
    from integrations.openai.stt import OpenAITranscriber

    today = workshop.clock.now().date()
    transcriber = summariser = None
    if settings.stt:
        model = settings.stt.model or default_model("stt", today)
        transcriber = OpenAITranscriber(settings.stt, model, workshop.run_cpu, workshop.data_dir)
    if settings.llm:
        model = settings.llm.model or default_model("llm", today)
        summariser = OpenAISummariser(settings.llm, model, workshop.run_cpu)

    async def close() -> None:
        for role in (transcriber, summariser):
            if role is not None:
                await role.close()

    return Ports(transcriber=transcriber, summariser=summariser, close=close)


def diagnose(settings: Settings, workshop: Workshop) -> AsyncIterator[Finding]:
    """See integrations.openai.doctor."""
    from integrations.openai import doctor

    return doctor.diagnose(settings, workshop)


VENDOR: Vendor[Settings] = Vendor(
    name=VENDOR_NAME,
    title="OpenAI",
    variables=VARIABLES,
    read_settings=read_settings,
    build_ports=build_ports,
    diagnose=diagnose,
)
