"""aiogram's FSM storage over our own table."""

from collections.abc import Mapping
from typing import Any

from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey

from storage.fsm import ConversationKey, Conversations


class DatabaseStorage(BaseStorage):
    """Every part of the key counts; ``update_data`` is one transaction, unlike the base class's read and write."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        await self._conversations.set_state(_key(key), state.state if isinstance(state, State) else state)

    async def get_state(self, key: StorageKey) -> str | None:
        return (await self._conversations.read(_key(key))).state

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        await self._conversations.set_data(_key(key), data)

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        return dict((await self._conversations.read(_key(key))).data)

    async def update_data(self, key: StorageKey, data: Mapping[str, Any]) -> dict[str, Any]:
        return await self._conversations.update_data(_key(key), data)

    async def close(self) -> None:
        """The database is closed by whoever opened it."""


def _key(key: StorageKey) -> ConversationKey:
    return ConversationKey(
        bot_id=key.bot_id,
        chat_id=key.chat_id,
        user_id=key.user_id,
        thread_id=key.thread_id,
        business_connection_id=key.business_connection_id,
        destiny=key.destiny,
    )
