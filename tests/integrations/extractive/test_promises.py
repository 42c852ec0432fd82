"""What is a task and what only sounds like one."""

from datetime import date

import pytest

from domain.calls import Summary
from domain.events import Direction
from integrations.extractive.lexicon import load_lexicon
from integrations.extractive.summariser import draft
from tests.integrations.extractive.scripted import said

HELLO = "op: Компания Ясный Двор, меня зовут Анна, слушаю вас."


def summary_of(*turns: str, direction: Direction = Direction.INCOMING) -> Summary:
    transcript, context = said(*turns, direction=direction)
    return draft(transcript, context, load_lexicon())


def tasks_of(*turns: str) -> list[tuple[str, str, str, str, str]]:
    """(what, who, words of the time, ISO date, clock)."""
    return [
        (task.what, task.who, task.when_text, task.due_date.isoformat() if task.due_date else "", task.due_time)
        for task in summary_of(HELLO, *turns).tasks
    ]


@pytest.mark.parametrize(
    ("words", "task"),
    [
        ("Перезвоню завтра.", ("перезвонить", "Анна", "завтра", "2026-11-18", "")),
        ("Я вам перезвоню завтра.", ("перезвонить клиенту", "Анна", "завтра", "2026-11-18", "")),
        ("Мы с вами свяжемся через два дня.", ("связаться с клиентом", "Анна", "через два дня", "2026-11-19", "")),
        ("Отправлю акт сегодня до шести вечера.",
         ("отправить акт", "Анна", "сегодня до шести вечера", "2026-11-17", "18:00")),
        ("Счёт отправлю сегодня.", ("отправить счёт", "Анна", "сегодня", "2026-11-17", "")),
        ("Я вам договор завтра пришлю.", ("прислать клиенту договор", "Анна", "завтра", "2026-11-18", "")),
        ("Завтра я вам в три часа перезвоню.", ("перезвонить клиенту", "Анна", "Завтра в три часа", "2026-11-18", "15:00")),
        ("Я вам перезвоню. Завтра утром.", ("перезвонить клиенту", "Анна", "Завтра утром", "2026-11-18", "")),
        ("Переношу уборку на четверг, на девять утра.",
         ("перенести уборку", "Анна", "на четверг, на девять утра", "2026-11-19", "09:00")),
        ("Бригадир Марина перезвонит вам в пятницу до двенадцати часов.",
         ("перезвонить клиенту", "бригадир Марина", "в пятницу до двенадцати часов", "2026-11-20", "12:00")),
        ("Завтра приедет мастер Олег.", ("приехать", "мастер Олег", "Завтра", "2026-11-18", "")),
        ("Ольга Петровна вам позвонит завтра.", ("позвонить клиенту", "Ольга Петровна", "завтра", "2026-11-18", "")),
        ("Наш менеджер свяжется с вами.", ("связаться с клиентом", "менеджер", "", "", "")),
        ("Настройщик Вадим приедет завтра.", ("приехать", "настройщик Вадим", "завтра", "2026-11-18", "")),
        ("С вами свяжутся завтра.", ("связаться с клиентом", "", "завтра", "2026-11-18", "")),
        ("Он вам перезвонит завтра.", ("перезвонить клиенту", "", "завтра", "2026-11-18", "")),
        ("Давайте я вам перезвоню завтра.", ("перезвонить клиенту", "Анна", "завтра", "2026-11-18", "")),
        ("Если можно, я перезвоню завтра.", ("перезвонить", "Анна", "завтра", "2026-11-18", "")),
        ("Как только придёт деталь, я вам перезвоню.", ("перезвонить клиенту", "Анна", "", "", "")),
        ("Бухгалтер проверит и пришлёт акт завтра.", ("прислать акт", "бухгалтер", "завтра", "2026-11-18", "")),
        ("Приносим извинения, директор вам позвонит завтра.", ("позвонить клиенту", "директор", "завтра", "2026-11-18", "")),
        ("Доставим сегодня или завтра.", ("доставить", "Анна", "сегодня или завтра", "", "")),
        ("Бригадир Марина перегвонит вам завтра.", ("перезвонить клиенту", "бригадир Марина", "завтра", "2026-11-18", "")),
    ],
)  # fmt: skip
def test_a_promise(words: str, task: tuple[str, str, str, str, str]) -> None:
    assert tasks_of(f"op: {words}") == [task]


@pytest.mark.parametrize(
    "words",
    [
        "Я не смогу перезвонить завтра.",
        "Завтра не перезвоню, у меня выходной.",
        "Я уже отправил вам договор.",
        "Вчера мы отправили счёт.",
        "Если вы оплатите сегодня, отправлю завтра.",
        "Отправлю завтра, если вы оплатите.",
        "Перезвонить вам завтра?",
        "Когда приедет мастер, покажите ему подвал.",
        "Сейчас посмотрю вашу заявку.",
        "Минуту, уточню у мастера.",
        "Мы обычно перезвоним утром.",
        "Перезвоните мне завтра, пожалуйста.",
        "Могу отправить договор завтра.",
        "Найдём.",
        "Я не знаю, кто приедет завтра.",
    ],
)
def test_no_promise(words: str) -> None:
    assert tasks_of(f"op: {words}") == []


@pytest.mark.parametrize(
    "words",
    [
        "Я перезвоню завтра.",
        "Оплачу сегодня до шести.",
        "А мне кто нибудь позвонит завтра?",
        "Мой муж приедет завтра.",
        "Перезвоните мне завтра.",
        "Я буду жаловаться, если вы не приедете.",
    ],
)
def test_the_client_promises_nothing_for_us(words: str) -> None:
    assert tasks_of(f"cl: {words}", "op: До свидания.") == []


def test_a_condition_is_told_as_a_doubt() -> None:
    summary = summary_of(HELLO, "cl: Хочу заказать окна.", "op: Если оплата поступит сегодня, отгрузим в пятницу.")
    assert summary.tasks == ()
    assert summary.unclear == ("Обещано с условием: «Если оплата поступит сегодня, отгрузим в пятницу»",)


def test_a_request_that_is_taken_becomes_the_object_of_the_promise() -> None:
    assert tasks_of("cl: Пришлите, пожалуйста, прайс на почту.", "op: Хорошо, отправлю завтра.") == [
        ("отправить прайс на почту", "Анна", "завтра", "2026-11-18", "")
    ]


def test_a_request_gives_the_time_that_the_promise_leaves_out() -> None:
    assert tasks_of("cl: Позвоните мне завтра после обеда.", "op: Хорошо, позвоню.") == [
        ("позвонить клиенту", "Анна", "завтра после обеда", "2026-11-18", "")
    ]


def test_the_day_may_have_been_said_before() -> None:
    assert tasks_of("cl: Давайте в четверг.", "op: Хорошо, позвоню в три часа.") == [
        ("позвонить", "Анна", "в три часа", "2026-11-19", "15:00")
    ]


def test_the_part_of_the_day_may_have_been_said_by_the_client() -> None:
    assert tasks_of("cl: Позвоните мне в четверг, вечером.", "op: Договорились, в четверг в восемь.") == [
        ("позвонить клиенту", "Анна", "в четверг в восемь", "2026-11-19", "20:00")
    ]


@pytest.mark.parametrize(
    "answer", ["Договорились.", "Обязательно.", "Да, конечно.", "Хорошо.", "Хорошо, сделаем.", "Без проблем."]
)
def test_a_yes_takes_the_request(answer: str) -> None:
    assert [task[0] for task in tasks_of("cl: Пришлите счёт на почту.", f"op: {answer}")] == ["прислать счёт на почту"]


@pytest.mark.parametrize(
    "answer", ["К сожалению, не получится.", "Хорошо, а как вас зовут?", "Понимаю вас, спросите в бухгалтерии."]
)
def test_no_yes_no_task(answer: str) -> None:
    assert tasks_of("cl: Пришлите счёт на почту.", f"op: {answer}") == []


def test_what_was_noted_is_a_task() -> None:
    assert tasks_of("cl: И попросите помыть окна на пятом этаже.", "op: Окна добавила.") == [
        ("помыть окна на пятом этаже", "Анна", "", "", "")
    ]


def test_an_offer_that_was_taken_is_a_task() -> None:
    assert tasks_of("op: Записать вас на четверг?", "cl: Да, запишите.", "op: Отлично, записала.") == [
        ("записать клиента", "Анна", "на четверг", "2026-11-19", "")
    ]
    assert tasks_of("op: Записать вас на четверг?", "cl: Нет, спасибо.") == []


def test_a_question_that_was_answered_with_yes() -> None:
    assert [task[0] for task in tasks_of("op: Давайте я вам перезвоню завтра?", "cl: Да, хорошо.")] == [
        "перезвонить клиенту"
    ]
    assert tasks_of("op: Давайте я вам перезвоню завтра?", "cl: Лучше напишите.") == []


def test_two_promises_in_one_breath() -> None:
    assert tasks_of("op: Сегодня отправлю договор, а в четверг в десять утра позвоню вам.") == [
        ("отправить договор", "Анна", "Сегодня", "2026-11-17", ""),
        ("позвонить клиенту", "Анна", "в четверг в десять утра", "2026-11-19", "10:00"),
    ]


def test_what_belongs_together_is_one_task() -> None:
    assert [task[0] for task in tasks_of("op: Я назначу уборку на пятницу и попрошу бригадира приехать лично.")] == [
        "назначить уборку и попросить бригадира приехать лично"
    ]
    assert tasks_of("op: Уточню у мастера и завтра вам перезвоню.") == [
        ("уточнить у мастера и перезвонить клиенту", "Анна", "завтра", "2026-11-18", "")
    ]


def test_a_promise_said_twice_is_one_task_and_the_fuller_one() -> None:
    assert tasks_of(
        "op: Я вам перезвоню.", "cl: Когда?", "op: Перезвоню завтра в десять утра.", "cl: Жду.", "op: Да, перезвоню."
    ) == [("перезвонить", "Анна", "завтра в десять утра", "2026-11-18", "10:00")]


def test_two_employees_keep_their_own_tasks() -> None:
    assert [
        (task[0], task[1]) for task in tasks_of("op: Мастер Олег вам позвонит завтра.", "op: А я вам позвоню в пятницу.")
    ] == [
        ("позвонить клиенту", "мастер Олег"),
        ("позвонить клиенту", "Анна"),
    ]


def test_the_crm_knows_the_employee_better() -> None:
    transcript, context = said(HELLO, "op: Перезвоню вам завтра.")
    known = type(context)(held_at=context.held_at, direction=context.direction, employee_name="Анна Котова")
    assert [task.who for task in draft(transcript, known, load_lexicon()).tasks] == ["Анна Котова"]


def test_an_unknown_voice_with_a_bare_promise_is_a_doubt() -> None:
    transcript, context = said(
        "x: Трубу привезли, положили возле забора, лежит себе.",
        "x: Ладно, у нас решат, позвоню завтра.",
        direction=Direction.UNKNOWN,
    )
    summary = draft(transcript, context, load_lexicon())
    assert summary.tasks == ()
    assert "Неясно, кто обещал" in " ".join(summary.unclear)


def test_hours_are_counted_from_the_words_themselves() -> None:
    turns = ["cl: " + "слово " * 200] * 8  # some ten minutes of talk
    summary = summary_of(HELLO, *turns, "op: Перезвоню вам через час.")
    assert (summary.tasks[0].due_date, summary.tasks[0].due_time) == (date(2026, 11, 17), "12:10")
