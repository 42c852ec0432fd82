"""What becomes of a message after Telegram's answer: one small rule for every verdict."""

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.telegram.courier import Undeliverable
from bot.telegram.failures import Failure, Verdict, classify
from bot.telegram.notices import Notice, NoticeKind, Tell, stopped_by
from bot.telegram.outage import Outage
from bot.telegram.pacer import Pacer, jittered
from domain.duration import show_duration
from domain.ports import Clock
from storage.destinations import Destinations
from storage.outbox import FLOOD, ClaimedPost, Outbox

log = logging.getLogger(__name__)

RETRY_PAUSES = (1, 2, 5, 10, 30, 60, 120, 300)  # seconds; then every five minutes
MOST_TRIES = 300  # about a day
FLOODED_CHATS = 3  # so many chats told to wait within FLOOD_WINDOW mean the bot as a whole is too fast
FLOOD_WINDOW = 10.0
TOKEN_PAUSE = 30.0
SILENCE = 5.0  # a lost answer means an outage only if nobody else got one for this long


class Settler:
    """Applies verdicts to the outbox, the pacer and the destinations. Each rule returns True when posts are due anew."""

    def __init__(self, outbox: Outbox, destinations: Destinations, pacer: Pacer, clock: Clock, tell: Tell) -> None:
        self._outbox = outbox
        self._destinations = destinations
        self._pacer = pacer
        self._clock = clock
        self._tell = tell
        self._floods: deque[tuple[float, int]] = deque(maxlen=20)
        self.outage = Outage()
        self.token_refused = False
        self._answered_at = float("-inf")
        self._rules: dict[Verdict, Callable[[ClaimedPost, Failure], Awaitable[bool]]] = {
            Verdict.DONE: self._done,
            Verdict.UNREADABLE: self._unreadable,
            Verdict.UNCERTAIN: self._uncertain,
            Verdict.GATEWAY: self._gateway,
            Verdict.LATER: self._later,
            Verdict.OFFLINE: self._offline,
            Verdict.TOKEN: self._token,
            Verdict.FLOOD: self._flood,
            Verdict.MOVED: self._moved,
            Verdict.GONE: self._gone,
            Verdict.TOPIC_GONE: self._topic_gone,
            Verdict.MESSAGE_GONE: self._message_gone,
            Verdict.REPLY_GONE: self._reply_gone,
            Verdict.REFUSED: self._refused,
        }

    async def arrived(self, post: ClaimedPost, message_id: int | None) -> bool:
        """Telegram took it. True when the post was changed meanwhile, or something waits to go behind it."""
        await self._answered()
        changed = await self._outbox.sent(post, message_id)
        if post.message_id is None and post.key.startswith("call:") and "#" not in post.key:
            log.info("✅ Sent to Telegram: %s", post.key)
        return changed or bool(post.message.files)

    async def failed(self, post: ClaimedPost, error: Exception) -> bool:
        """Telegram did not take it, or did not say."""
        if isinstance(error, Undeliverable | ValueError | KeyError):
            return await self._refused_for_good(post, str(error))
        failure = classify(error)
        if failure.verdict not in {Verdict.OFFLINE, Verdict.UNCERTAIN, Verdict.TOKEN, Verdict.GATEWAY}:
            await self._answered()
        log.log(
            logging.INFO if failure.verdict is Verdict.DONE else logging.WARNING,
            "message %s to chat %d: %s (%s)",
            post.key,
            post.chat_id,
            failure.verdict.value,
            failure.detail,
        )
        return await self._rules[failure.verdict](post, failure)

    def freeze(self, chat_id: int, retry_after: float) -> float:
        """Obey a 429: seconds the chat rests. Several chats at once mean that all have to rest."""
        now = self._clock.monotonic()
        pause = jittered(retry_after)
        self._pacer.freeze(chat_id, now + pause)
        self._floods.append((now, chat_id))
        recent = {chat for at, chat in self._floods if now - at <= FLOOD_WINDOW}
        if len(recent) >= FLOODED_CHATS:
            self._pacer.freeze_all(now + pause)
        return pause

    async def move(self, old: int, new: int) -> None:
        """Everything about a group goes over to its new number, and the admins hear of it."""
        if not await self._destinations.move(old, new):
            return
        log.warning("group %d is now %d", old, new)
        text = "Группа стала супергруппой и сменила номер. Настройки перенесены, делать ничего не нужно."
        await self._say(NoticeKind.MOVED, str(new), text)

    async def _answered(self) -> None:
        """Telegram speaks to us: an outage, if there was one, is over."""
        self.token_refused = False
        self._answered_at = self._clock.monotonic()
        if not self.outage.active:
            return
        self._pacer.thaw_all()
        lasted = self.outage.over(self._clock.monotonic())
        if lasted is not None:
            log.warning("Telegram is back after %d s", lasted)
            text = f"Telegram снова доступен. Перерыв: {show_duration(lasted)}. Всё накопленное отправляется."
            await self._say(NoticeKind.RECOVERED, str(int(self._clock.monotonic())), text)

    async def _done(self, post: ClaimedPost, failure: Failure) -> bool:
        del failure
        return await self._outbox.sent(post, post.message_id)

    async def _unreadable(self, post: ClaimedPost, failure: Failure) -> bool:
        if failure.message_id is None and post.message_id is None:
            await self._say_uncertain(post)
        return await self._outbox.sent(post, failure.message_id or post.message_id)

    async def _uncertain(self, post: ClaimedPost, failure: Failure) -> bool:
        if self._clock.monotonic() - self._answered_at > SILENCE:
            await self._away(failure.detail)  # or a silent network would use up the one repeat of every message
        again = await self._outbox.uncertain(post)
        if not again:
            await self._say_uncertain(post)
        return again

    async def _gateway(self, post: ClaimedPost, failure: Failure) -> bool:
        del failure
        await self._away("HTTP 5xx")
        await self._outbox.maybe_repeated(post)
        return True

    async def _later(self, post: ClaimedPost, failure: Failure) -> bool:
        if post.attempts >= MOST_TRIES:
            return await self._refused_for_good(post, failure.detail)
        pause = RETRY_PAUSES[min(post.attempts, len(RETRY_PAUSES)) - 1]
        not_before = self._clock.now() + timedelta(seconds=pause)
        await self._outbox.put_back(post, tried=True, not_before=not_before, error=failure.detail[:200])
        return True

    async def _offline(self, post: ClaimedPost, failure: Failure) -> bool:
        await self._away(failure.detail)
        await self._outbox.put_back(post, tried=False)
        return True

    async def _token(self, post: ClaimedPost, failure: Failure) -> bool:
        del failure
        if not self.token_refused:
            self.token_refused = True
            log.error("Telegram refuses the bot's token: check TELEGRAM_BOT_TOKEN; messages are kept meanwhile")
        self._pacer.freeze_all(self._clock.monotonic() + TOKEN_PAUSE)
        await self._outbox.put_back(post, tried=False)
        return True

    async def _flood(self, post: ClaimedPost, failure: Failure) -> bool:
        pause = self.freeze(post.chat_id, failure.retry_after)
        not_before = self._clock.now() + timedelta(seconds=pause)
        await self._outbox.put_back(post, tried=False, not_before=not_before, error=FLOOD)
        return True

    async def _moved(self, post: ClaimedPost, failure: Failure) -> bool:
        await self.move(post.chat_id, failure.chat_id)
        await self._outbox.put_back(post, tried=False)
        return True

    async def _gone(self, post: ClaimedPost, failure: Failure) -> bool:
        if await self._destinations.bury(post.chat_id, failure.detail):
            text = (
                f"Бот больше не может писать в чат {post.chat_id}. Верните его в группу: пропущенное за сутки придёт само."
            )
            if post.chat_id > 0:
                text = stopped_by(f"Человек {post.chat_id}")
            await self._say(NoticeKind.CHAT_LOST, str(post.chat_id), text)
        return False

    async def _topic_gone(self, post: ClaimedPost, failure: Failure) -> bool:
        if post.topic_id is None:
            return await self._refused(post, failure)
        await self._destinations.lose_topic(post.chat_id, post.topic_id)
        await self._outbox.put_back(post, tried=False)
        text = f"Темы {post.topic_id} в чате {post.chat_id} больше нет. Сообщения идут в общую тему; другую задаёт /bind."
        await self._say(NoticeKind.TOPIC_LOST, f"{post.chat_id}:{post.topic_id}", text)
        return True

    async def _message_gone(self, post: ClaimedPost, failure: Failure) -> bool:
        if post.message_id is None:
            return await self._refused(post, failure)
        if post.message.only_edits:
            await self._outbox.bury(post, failure.detail)
            return False
        await self._outbox.anew(post)
        return True

    async def _reply_gone(self, post: ClaimedPost, failure: Failure) -> bool:
        if post.reply_to_message_id is None:
            return await self._refused(post, failure)
        await self._outbox.without_reply(post)
        return True

    async def _refused(self, post: ClaimedPost, failure: Failure) -> bool:
        """Content Telegram will not take: once more as bare text, then a person has to look."""
        if post.message.sections and not post.plain:
            await self._outbox.without_markup(post)
            return True
        return await self._refused_for_good(post, failure.detail)

    async def _refused_for_good(self, post: ClaimedPost, detail: str) -> bool:
        await self._outbox.bury(post, detail)
        if post.message.kind != "notice":  # or a refused notice would make another
            text = f"Telegram не принял сообщение {post.key}: {detail}. Подробности: /errors."
            await self._say(NoticeKind.POST_REFUSED, post.key, text)
        return True

    async def _away(self, detail: str) -> None:
        pause = self.outage.failed(self._clock.monotonic())
        self._pacer.freeze_all(self._clock.monotonic() + pause)
        if self.outage.must_tell():
            log.error("Telegram cannot be reached (%s); messages are kept", detail)
            await self._say(NoticeKind.OUTAGE, str(int(self._clock.monotonic())), "Telegram недоступен, сообщения копятся.")

    async def _say_uncertain(self, post: ClaimedPost) -> None:
        if post.message.kind != "notice":
            text = f"Неизвестно, дошло ли сообщение {post.key}: Telegram не ответил. Повторить можно в /errors."
            await self._say(NoticeKind.POST_UNCERTAIN, post.key, text)

    async def _say(self, kind: NoticeKind, key: str, text: str) -> None:
        try:
            await self._tell(Notice(kind=kind, key=key, text=text))
        except Exception:  # a notice that cannot be told must not stop the message it is about
            log.exception("a notice could not be told")
