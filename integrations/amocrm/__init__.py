"""amoCRM (Kommo): leads and contacts as they change, and the questions that can be asked about them."""

from collections.abc import AsyncIterator

from domain.crm import StageMap
from integrations.amocrm.faults import VENDOR_NAME
from integrations.amocrm.settings import VARIABLES, Settings, read_settings
from integrations.amocrm.webhook import MAX_BODY, Receiver
from integrations.kit.vendor import Finding, Hook, Intake, Ports, Vendor, Workshop

EVENTS = "Сделки и контакты: добавлены, изменены, удалены, восстановлены, сменили этап или ответственного"


def consent_url(settings: Settings, state: str) -> str:
    """With a long-lived token nobody has to allow anything."""
    from integrations.amocrm.oauth import authorize_url

    return authorize_url(settings, state) if settings.has_oauth and not settings.access_token else ""


def stage_map(settings: Settings) -> StageMap:
    return settings.stage_map


def build_ports(settings: Settings, workshop: Workshop) -> Ports:
    """One client, and so one pace, for all that is asked of the account; nothing where only hooks are taken in."""
    from integrations.amocrm.assembly import build_access
    from integrations.amocrm.client import Client
    from integrations.amocrm.hooks import Hooks
    from integrations.amocrm.platform import Crm

    access = build_access(settings, workshop)
    if access is None:
        return Ports()
    client = Client(settings, access, workshop.clock)
    crm = Crm(client, settings, workshop.clock)
    notes = crm if settings.notes else None
    return Ports(crm=crm, notes=notes, funnel=crm, hooks=Hooks(crm), upkeep=access.upkeep, close=client.close)


def diagnose(settings: Settings, workshop: Workshop) -> AsyncIterator[Finding]:
    """See integrations.amocrm.doctor."""
    from integrations.amocrm import doctor

    return doctor.diagnose(settings, workshop)


def build_receiver(settings: Settings) -> Receiver:
    return Receiver(settings)


VENDOR: Vendor[Settings] = Vendor(
    name=VENDOR_NAME,
    title="amoCRM",
    variables=VARIABLES,
    read_settings=read_settings,
    build_ports=build_ports,
    build_receiver=build_receiver,
    diagnose=diagnose,
    hooks=(Hook(event=EVENTS, path="/hooks/amocrm/{secret}"),),
    consent_url=consent_url,
    stage_map=stage_map,
    intake=Intake(max_body=MAX_BODY),
)
