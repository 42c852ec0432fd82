"""What happens when: the kind of work each event gives."""

from domain.events import CallEnded, Event

ROUTES: dict[str, type[Event]] = {"call": CallEnded}
