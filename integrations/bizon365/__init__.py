"""Bizon365: webinars, their reports and viewers, registration pages."""

from collections.abc import AsyncIterator

from integrations.bizon365.faults import VENDOR_NAME
from integrations.bizon365.settings import VARIABLES, Settings, read_settings
from integrations.bizon365.webhook import REGISTRATION_EVENT, REGISTRATION_PATH, REPORT_EVENT, Receiver
from integrations.kit.vendor import Finding, Hook, Ports, Vendor, Workshop


def build_ports(settings: Settings, workshop: Workshop) -> Ports:
    """One client, and so one pace, for all that is asked with a token."""
    from integrations.bizon365.client import Client
    from integrations.bizon365.platform import Webinars

    client = Client(settings, workshop.clock)
    return Ports(webinars=Webinars(client, settings, workshop.clock), close=client.close)


def build_receiver(settings: Settings) -> Receiver:
    return Receiver(settings)


def diagnose(settings: Settings, workshop: Workshop) -> AsyncIterator[Finding]:
    """See integrations.bizon365.doctor."""
    from integrations.bizon365 import doctor

    return doctor.diagnose(settings, workshop)


VENDOR: Vendor[Settings] = Vendor(
    name=VENDOR_NAME,
    title="Бизон365",
    variables=VARIABLES,
    read_settings=read_settings,
    build_ports=build_ports,
    build_receiver=build_receiver,
    diagnose=diagnose,
    hooks=(
        Hook(event=REPORT_EVENT, path="/hooks/bizon365/{secret}"),
        Hook(event=REGISTRATION_EVENT, path=REGISTRATION_PATH + "{secret}"),
    ),
)
