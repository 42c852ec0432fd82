"""OpenAI and every server that speaks its interface: speech to text and summaries, two roles that need not meet."""

from integrations.kit.vendor import Ports, Vendor, Workshop
from integrations.openai.doctor import diagnose
from integrations.openai.faults import VENDOR_NAME
from integrations.openai.llm import OpenAISummariser
from integrations.openai.models import default_model
from integrations.openai.settings import VARIABLES, Settings, read_settings
from integrations.openai.stt import OpenAITranscriber
from integrations.openai.wire import load_sdk


def build_ports(settings: Settings, workshop: Workshop) -> Ports:
    """The roles that are switched on; a model that is not named is chosen by today's date (UTC)."""
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

    return Ports(transcriber=transcriber, summariser=summariser, close=close, warm_up=load_sdk)


VENDOR: Vendor[Settings] = Vendor(
    name=VENDOR_NAME,
    title="OpenAI",
    variables=VARIABLES,
    read_settings=read_settings,
    build_ports=build_ports,
    diagnose=diagnose,
)
