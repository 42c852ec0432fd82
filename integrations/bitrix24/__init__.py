"""Bitrix24: calls and their recordings, comments in CRM cards, and the company: houses, people, departments."""

from collections.abc import AsyncIterator

from integrations.bitrix24.codes import VENDOR_NAME
from integrations.bitrix24.settings import VARIABLES, Settings, read_settings
from integrations.bitrix24.webhook import CALL_END, Receiver
from integrations.kit.vendor import Finding, Hook, Ports, Vendor, Workshop


def build_ports(settings: Settings, workshop: Workshop) -> Ports:
    """One client, and so one request limit, under all ports of a portal."""
    from integrations.bitrix24.client import Client
    from integrations.bitrix24.directory import Directory
    from integrations.bitrix24.recording import Recordings, Sources
    from integrations.bitrix24.tasks import Tasks
    from integrations.bitrix24.telephony import Telephony
    from integrations.bitrix24.timeline import Timeline

    client = Client(settings, workshop.clock)
    recordings = Recordings(client=client, sources=Sources(settings=settings))
    telephony = Telephony(client, recordings, workshop.clock)
    timeline = Timeline(client, settings.portal_url, workshop.clock)
    return Ports(
        recordings=telephony,
        journal=telephony,
        timeline=timeline,
        directory=Directory(client, settings.portal_url),
        tasks=Tasks(client, settings.portal_url),
        close=client.close,
    )


def build_receiver(settings: Settings) -> Receiver:
    return Receiver(settings.application_tokens)


def diagnose(settings: Settings, workshop: Workshop) -> AsyncIterator[Finding]:
    """See integrations.bitrix24.doctor."""
    from integrations.bitrix24 import doctor

    return doctor.diagnose(settings, workshop)


VENDOR: Vendor[Settings] = Vendor(
    name=VENDOR_NAME,
    title="Битрикс24",
    variables=VARIABLES,
    read_settings=read_settings,
    build_ports=build_ports,
    build_receiver=build_receiver,
    diagnose=diagnose,
    hooks=(Hook(event=CALL_END, path="/hooks/bitrix24/{secret}"),),
)
