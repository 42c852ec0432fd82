"""The whole draft: port, honesty, kinds, tone, and that no input breaks it."""

import sys
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calls import CallContext, CallKind, Evidence, Quality, Segment, Speaker, Summary, SummarySource, Tone, Transcript
from domain.events import Direction
from integrations.extractive import build_summariser
from integrations.extractive.lexicon import load_lexicon
from integrations.extractive.summariser import draft
from integrations.extractive.words import shorten, squeeze
from tests.integrations.extractive.scripted import FORMS, HELD_AT, Written, call_named, said, transcript_of, written_calls

HELLO = "op: Компания Ясный Двор, меня зовут Анна, слушаю вас."


def summary_of(*turns: str, direction: Direction = Direction.INCOMING) -> Summary:
    transcript, context = said(*turns, direction=direction)
    return draft(transcript, context, load_lexicon())


def evidence_of(summary: Summary) -> list[Evidence | None]:
    """The proof of everything that the summary states."""
    points = [*summary.points, *summary.questions, *summary.dates]
    points += [point for point in (summary.client_request, summary.address) if point]
    proofs = [point.evidence for point in points] + [task.evidence for task in summary.tasks]
    return proofs + [amount.evidence for amount in summary.amounts]


async def test_the_port() -> None:
    summariser = build_summariser()
    call = call_named("02_sales_outgoing")
    transcript = call.transcript("attributed")
    assert (summariser.model, summariser.paid, summariser.version) == ("", False, "extractive-1")
    assert summariser.estimate(transcript).micro_usd == 0
    summary = await summariser.summarise(transcript, call.context)
    assert (summary.source, summary.model, summary.costs) == (SummarySource.DRAFT, "", ())
    assert summary.prompt_version == summariser.version
    assert summary == await summariser.summarise(transcript, call.context)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("call", written_calls(), ids=lambda call: call.name)
def test_every_quote_was_said(call: Written, form: str) -> None:
    transcript = call.transcript(form)
    summary = draft(transcript, call.context, load_lexicon())
    text, starts = squeeze(transcript.text), {segment.start for segment in transcript.segments}
    for evidence in evidence_of(summary):
        assert evidence is not None
        assert evidence.confirmed
        assert evidence.quote in text
        assert evidence.at in (starts if transcript.timed else {None})
    for task in summary.tasks:
        assert all(part in text for part in task.when_text.split())


def test_a_quote_is_found_across_the_segments_of_one_sentence() -> None:
    segments = [
        Segment(start=0.0, end=4.0, text="Здравствуйте, компания Двор."),
        Segment(start=4.0, end=9.0, text="Я назначу дополнительную уборку на пятницу,"),
        Segment(start=9.0, end=12.0, text="на 10 часов утра и попрошу бригадира приехать."),
    ]
    task = draft(transcript_of(segments), CallContext(held_at=HELD_AT, direction=Direction.INCOMING), load_lexicon()).tasks[
        0
    ]
    assert task.when_text == "на пятницу, на 10 часов утра"
    assert task.evidence is not None
    assert task.evidence.at == 4.0
    assert task.evidence.quote.endswith("приехать.")


def test_inside_a_long_segment_the_second_is_near() -> None:
    text = "Слово. " * 40 + "Перезвоню вам завтра."
    segment = Segment(start=10.0, end=50.0, text=text, speaker=Speaker.OPERATOR)
    context = CallContext(held_at=HELD_AT, direction=Direction.INCOMING)
    task = draft(transcript_of([segment]), context, load_lexicon()).tasks[0]
    assert task.evidence is not None
    assert task.evidence.at == pytest.approx(46.2, abs=1.0)


@pytest.mark.parametrize("start", [float("nan"), float("inf"), -float("inf"), 1e300, -5.0])
def test_a_second_that_is_no_time_is_left_out(start: float) -> None:
    segment = Segment(start=start, end=float("nan"), text="Перезвоню вам через час.", speaker=Speaker.OPERATOR)
    context = CallContext(held_at=HELD_AT, direction=Direction.INCOMING)
    task = draft(transcript_of([segment]), context, load_lexicon()).tasks[0]
    assert task.due_time == "12:00"
    assert task.evidence is not None
    assert task.evidence.at is None


def test_a_very_long_sentence_is_quoted_around_its_verb() -> None:
    filler = "и ещё мы говорили о погоде, " * 8
    task = summary_of(HELLO, f"op: Ну {filler}а договор отправлю завтра, {filler}вот.").tasks[0]
    assert task.evidence is not None
    assert "договор отправлю завтра" in task.evidence.quote
    assert len(task.evidence.quote) < 300


@pytest.mark.parametrize(
    ("turns", "kind"),
    [
        ([], CallKind.NO_SPEECH),
        (["x:  ", "x: ..."], CallKind.NO_SPEECH),
        (["op: Компания Ясный Двор, слушаю.", "cl: Ой, извините, ошибся номером."], CallKind.WRONG_NUMBER),
        (["op: Компания Ясный Двор.", "cl: Это аптека?", "op: Нет, вы не туда попали."], CallKind.WRONG_NUMBER),
        (["sys: Абонент не может ответить на ваш звонок. Оставьте сообщение после сигнала."], CallKind.VOICEMAIL),
        (["cl: Алло. Алло!", "op: Здравствуйте, вы меня слышите?", "cl: Вас не слышно."], CallKind.OTHER),
    ],
)
def test_nothing_is_made_of_an_empty_call(turns: list[str], kind: CallKind) -> None:
    summary = summary_of(*turns, direction=Direction.OUTGOING)
    assert (summary.kind, summary.meaningful, summary.tasks, summary.points) == (kind, False, (), ())
    assert (summary.tone, summary.client_request, summary.amounts) == (Tone.NEUTRAL, None, ())
    assert summary.text


def test_after_a_machine_only_a_call_back_is_suggested() -> None:
    summary = summary_of(
        "sys: Абонент не может ответить на ваш звонок. Оставьте сообщение после сигнала.",
        "op: Добрый день, это Александр. Перезвоните мне, пожалуйста, по поводу договора.",
        direction=Direction.OUTGOING,
    )
    assert summary.tasks == ()
    assert summary.next_steps == "Позвонить ещё раз: ответил автоответчик."
    assert summary.text == "Ответил автоответчик. Оставлено сообщение: «Перезвоните мне, пожалуйста, по поводу договора»."


def test_someone_who_picks_up_ends_the_voicemail() -> None:
    summary = summary_of(
        "sys: Оставьте сообщение после звукового сигнала.", "cl: Алло, слушаю вас.", "op: Отправлю вам договор завтра.",
        direction=Direction.OUTGOING,
    )  # fmt: skip
    assert summary.kind is not CallKind.VOICEMAIL
    assert [task.what for task in summary.tasks] == ["отправить клиенту договор"]


def test_a_wrong_house_is_no_wrong_number() -> None:
    summary = summary_of(
        HELLO, "cl: Курьер ошибся, позвонил не туда, в другой подъезд.", "op: Курьер перезвонит вам через час."
    )
    assert (summary.kind, summary.meaningful) == (CallKind.REQUEST, True)


@pytest.mark.parametrize(
    ("words", "tone"),
    [
        ("Вы обещали приехать вчера, и никто не приехал. Спасибо, до свидания.", Tone.NEGATIVE),
        ("Это безобразие!", Tone.NEGATIVE),
        ("Я совсем не довольна, мне не понравилось.", Tone.NEGATIVE),
        ("Это дороговато, другая компания предложила дешевле. Спасибо.", Tone.NEUTRAL),
        ("У меня не работает интернет, пришлите мастера.", Tone.NEUTRAL),
        ("Никаких претензий нет, хочу продлить договор.", Tone.NEUTRAL),
        ("Нет жалоб, всё нормально, хочу продлить.", Tone.NEUTRAL),
        ("Хорошо, спасибо, до свидания.", Tone.NEUTRAL),
        ("Всё отлично, спасибо огромное, ребята молодцы.", Tone.POSITIVE),
        ("Согласна, спасибо.", Tone.POSITIVE),
    ],
)
def test_tone_is_the_clients_attitude(words: str, tone: Tone) -> None:
    summary = summary_of(HELLO, f"cl: Добрый день, звоню по поводу уборки подъезда. {words}", "op: До свидания.")
    assert summary.tone is tone
    assert bool(summary.tone_reason) == (tone is not Tone.NEUTRAL)


def test_what_the_staff_say_of_others_is_no_complaint() -> None:
    summary = summary_of(HELLO, "op: У соседей была жалоба, безобразие и грязь.", "cl: Хочу заказать уборку офиса.")
    assert summary.tone is Tone.NEUTRAL


def test_questions_are_the_clients() -> None:
    summary = summary_of(
        HELLO,
        "cl: Алло, вы меня слышите?",
        "op: Какая у вас площадь?",
        "cl: А сколько стоит уборка?",
        "cl: до скольки вы работаете",
    )  # fmt: skip
    assert [question.text for question in summary.questions] == ["А сколько стоит уборка?", "До скольки вы работаете?"]


def test_dates_are_verbatim_and_once_each() -> None:
    summary = summary_of(
        HELLO, "cl: Хотелось бы в субботу, двадцать первого ноября.", "cl: Или в четверг. Или в четверг. Сегодня нет."
    )
    assert [point.text for point in summary.dates] == ["в субботу, двадцать первого ноября", "в четверг"]


def test_a_discount_is_a_key_point() -> None:
    summary = summary_of(HELLO, "cl: Это дороговато.", "op: Дадим скидку десять процентов.", "cl: Спасибо, я подумаю.")
    assert "Дадим скидку десять процентов." in [point.text for point in summary.points]


def test_the_same_words_are_one_point() -> None:
    summary = summary_of(HELLO, *["cl: Хочу заказать уборку офиса в субботу."] * 4)
    assert len(summary.points) <= 1


def test_the_text_names_what_was_promised_and_the_price() -> None:
    summary = summary_of(
        HELLO,
        "cl: Хочу перенести уборку, улица Суворова, дом пять.",
        "op: Переношу на четверг. Окна две тысячи рублей за этаж.",
    )  # fmt: skip
    assert summary.text == (
        "Просьба, улица Суворова, дом 5: «Хочу перенести уборку, улица Суворова, дом пять». "
        "Обещано: перенести уборку (Анна, на четверг). Названа сумма: 2\u00a0000\u00a0₽."
    )
    assert summary.next_steps == "Ближайшее: перенести уборку (Анна, на четверг)."


def test_a_request_without_an_answer_is_named() -> None:
    summary = summary_of(
        HELLO, "cl: Хочу вызвать мастера по окнам.", "op: Понятно. У нас таких нет.", "cl: Тогда я подумаю."
    )
    assert (
        summary.next_steps == "Обещаний не прозвучало, просьба: «Хочу вызвать мастера по окнам». Клиент: «Тогда я подумаю»."
    )


def test_a_talk_without_a_request_is_still_told() -> None:
    summary = summary_of(HELLO, "cl: Завтра в пятницу ничего особенного, погода стоит хорошая, листья падают медленно.")
    assert summary.text.startswith("Разговор")


def test_a_poor_recording_is_said() -> None:
    transcript, context = said(HELLO, "cl: Хочу заказать уборку офиса после ремонта.")
    poor = replace(transcript, quality=Quality(doubtful=True))
    assert draft(poor, context, load_lexicon()).unclear == ("Запись разобрана плохо: проверьте по записи.",)


def test_texts_for_people_do_not_shout() -> None:
    for group in load_lexicon().texts.values():
        assert not any("!" in text for text in group.values())


def test_a_long_text_is_cut_between_words() -> None:
    assert shorten("один два три", 8) == "один…"
    assert shorten("один, два", 7) == "один…"
    assert shorten("слово", 8) == "слово"
    assert shorten("а" * 20, 8) == "а" * 7 + "…"


LEXEME_TEXT = """
да нет хорошо я вам мы перезвоню отправлю завтра сегодня в три часа пятницу до двенадцати тысяч рублей сто двадцать первого
улица дом шесть квартира второй подъезд меня зовут Анна Сергеевна Если не записала добавила
пришлите хочу позвоните ? . , ! … - —
«» % ₽ 15:30 18 000 31.02 ошибся номером оставьте сообщение мастер Марина приедет компания здравствуйте
спасибо жалоба договорились
ещё Ё ² ١٢ ﬁ İ 😀
"""
LEXEMES = st.sampled_from(LEXEME_TEXT.split())
TEXTS = st.one_of(st.text(max_size=80), st.lists(LEXEMES, max_size=40).map(" ".join))
SEGMENTS = st.builds(
    Segment,
    start=st.floats(allow_nan=True, allow_infinity=True),
    end=st.floats(min_value=0, max_value=1e5),
    text=TEXTS,
    speaker=st.sampled_from(Speaker),
    label=st.sampled_from(["", "A", "B"]),
)


@given(st.lists(SEGMENTS, max_size=8), st.booleans(), st.sampled_from(Direction))
def test_any_transcript_gives_a_summary(segments: list[Segment], timed: bool, direction: Direction) -> None:
    transcript = Transcript(segments=tuple(segments), language="", model="", timed=timed, duration_s=0.0, quality=Quality())
    context = CallContext(held_at=HELD_AT, direction=direction, employee_name="Анна", client_name="Ия")
    summary = draft(transcript, context, load_lexicon())
    assert summary.text
    assert summary.meaningful or not summary.tasks


def ten_minutes(form: str) -> Transcript:
    """Written calls one after another, at the pace of speech."""
    segments: list[Segment] = []
    at = 0.0
    for call in (call for call in written_calls() if len(call.turns) > 3):
        for segment in call.transcript(form).segments:
            length = max(1.0, 0.42 * len(segment.text.split()))
            segments.append(replace(segment, start=at, end=at + length))
            at += length + 0.3
    return transcript_of([segment for segment in segments if segment.start < 600])


@pytest.mark.parametrize("form", ["attributed", "unattributed"])
def test_ten_minutes_are_quick(form: str) -> None:
    """About 20 ms on an idle core; the bound is for a rule that looks through everything for every word."""
    transcript, context = ten_minutes(form), written_calls()[0].context
    draft(transcript, context, load_lexicon())
    spent = []
    for _ in range(5):
        before = time.process_time()
        draft(transcript, context, load_lexicon())
        spent.append(time.process_time() - before)
    assert min(spent) < (1.0 if sys.gettrace() is None else 5.0)  # a coverage tracer is not what is measured


def test_the_time_grows_with_the_words_only() -> None:
    """One block of words that nothing divides: no rule may look through all of it for every word."""
    context = CallContext(held_at=HELD_AT, direction=Direction.INCOMING)

    def spent(words: int) -> float:
        block = transcript_of([Segment(start=0.0, end=600.0, text="отправлю трубу двадцать " * (words // 3))], timed=False)
        costs = []
        for _ in range(3):  # the least of three is what the words cost, the rest is the machine's
            before = time.process_time()
            draft(block, context, load_lexicon())
            costs.append(time.process_time() - before)
        return min(costs)

    spent(300)
    assert spent(12_000) < 40 * max(spent(1_500), 0.01)  # eight times the words; the square of it is 64
