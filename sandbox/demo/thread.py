"""One client's story over four vendors, step by step: every step is a button, and all of them end on one card."""

from dataclasses import dataclass

from sandbox.demo.people import HEROINE

GROUP = "Один человек, четыре системы, одна карточка"
CALL, COMMAND = "sale", f"/client {HEROINE.phone}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    id: str
    title: str
    hint: str


STEPS = (
    Step(id="thread-form", title="1. Ирина заполняет форму на сайте",
         hint=f"Тильда: телефон {HEROINE.phone}, реклама ВКонтакте в cookies"),
    Step(id="thread-deal", title="2. Её заводят в amoCRM",
         hint=f"телефон записан иначе: {HEROINE.phone_in_crm}; карточка в чате та же"),
    Step(id="thread-webinar", title="3. Отчёт вебинара: она на нём была",
         hint="Бизон365: без почты, телефон без восьмёрки; смотрела час перед заявкой"),
    Step(id="thread-call", title="4. Ей звонит менеджер", hint="Битрикс24: обещают коммерческое предложение"),
    Step(id="thread-stage", title="5. Сделка переходит на новый этап", hint="amoCRM: меняется и карточка в чате"),
    Step(id="thread-card", title="6. Показать её карточку",
         hint=f"{COMMAND}: всё по времени, у каждой строки свой источник"),
)  # fmt: skip


class Thread:
    """How far the story has been told. Its steps may be told in any order, and again."""

    def __init__(self) -> None:
        self.told: set[str] = set()

    @property
    def next(self) -> str:
        """The step to be pressed now, "" when all are told."""
        return next((step.id for step in STEPS if step.id not in self.told), "")
