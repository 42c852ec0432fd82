"""amoCRM (Kommo): leads and contacts as they change, and the questions that can be asked about them."""

from integrations.amocrm.settings import VARIABLES, Settings, read_settings
from integrations.amocrm.webhook import MAX_BODY, VENDOR_NAME, Receiver
from integrations.kit.vendor import Hook, Intake, Vendor

EVENTS = "Сделки и контакты: добавлены, изменены, удалены, восстановлены, сменили этап или ответственного"


def build_receiver(settings: Settings) -> Receiver:
    return Receiver(settings)


VENDOR: Vendor[Settings] = Vendor(
    name=VENDOR_NAME,
    title="amoCRM",
    variables=VARIABLES,
    read_settings=read_settings,
    build_receiver=build_receiver,
    hooks=(Hook(event=EVENTS, path="/hooks/amocrm/{secret}"),),
    intake=Intake(max_body=MAX_BODY),
)
