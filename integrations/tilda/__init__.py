"""Tilda: forms of a site, which it sends to us one by one."""

from collections.abc import AsyncIterator

from domain.webhooks import Receiver
from integrations.kit.vendor import Finding, Hook, Intake, Vendor, Workshop
from integrations.tilda.settings import VARIABLES, VENDOR_NAME, Settings, read_settings

PER_MINUTE = 600  # of one address: all sites come from a few of Tilda's own


def build_receiver(settings: Settings) -> Receiver:
    """It knows phones, which takes a while to import: who has no Tilda does not wait for it."""
    from integrations.tilda import webhook

    return webhook.Receiver(settings)


def diagnose(settings: Settings, workshop: Workshop) -> AsyncIterator[Finding]:
    """See integrations.tilda.doctor."""
    from integrations.tilda import doctor

    return doctor.diagnose(settings, workshop)


VENDOR: Vendor[Settings] = Vendor(
    name=VENDOR_NAME,
    title="Тильда",
    variables=VARIABLES,
    read_settings=read_settings,
    build_receiver=build_receiver,
    diagnose=diagnose,
    hooks=(Hook(event="Webhook: приём данных из форм", path="/hooks/tilda/{secret}"),),
    intake=Intake(answer="ok", per_minute=PER_MINUTE, keyed=True, secrets=lambda settings: settings.secrets),
)
