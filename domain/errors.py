"""Every failure Svodka names; the type alone decides whether work is tried again.

SvodkaError
├─ RejectedDelivery      BadSignature · UnknownHook · MalformedBody · TooLarge    4xx, nothing stored but a counter
├─ VendorError(vendor)
│   ├─ VendorUnavailable(retry_after)   time-out, 5xx, 429                        tried again
│   └─ VendorRefused(reason, hint)      bad token, missing scope, other 4xx       not tried again, the owner is told once
├─ NotReady(retry_after)                recording or report not there yet         tried again, no error in the log
├─ BadInput(field, hint)                what a manager typed                      said in the chat
└─ ConfigError(variable, hint)                                                    refuses to start

``hint`` is Russian, written for the person who can fix it. No text here ever holds a secret.
"""


class SvodkaError(Exception):
    """The root: anything Svodka raises on purpose."""


class RejectedDelivery(SvodkaError):
    """An incoming request that is not accepted. ``field`` names what is wrong with it, for the JSON answer."""

    status = 400

    def __init__(self, reason: str, *, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


class BadSignature(RejectedDelivery):
    status = 401


class UnknownHook(RejectedDelivery):
    status = 404


class MalformedBody(RejectedDelivery):
    status = 400


class TooLarge(RejectedDelivery):
    status = 413


class VendorError(SvodkaError):
    """A vendor did not do what was asked. ``action`` is a method or a route name, never an address."""

    def __init__(self, vendor: str, action: str, message: str) -> None:
        super().__init__(f"{vendor} {action}: {message}")
        self.vendor = vendor
        self.action = action
        self.message = message


class VendorUnavailable(VendorError):
    """It may work later.

    ``retry_after``: seconds, where the vendor named them. ``uncertain``: the request may have been carried out although
    no answer came (time-out or a broken connection after sending, a 5xx to a write).
    """

    def __init__(
        self, vendor: str, action: str, message: str, *, retry_after: float | None = None, uncertain: bool = False
    ) -> None:
        super().__init__(vendor, action, message)
        self.retry_after = retry_after
        self.uncertain = uncertain


class VendorBusy(VendorUnavailable):
    """It does answer, but was asked too often, by us or by others: nothing is broken, and a pause is all it takes."""


class VendorRefused(VendorError):
    """It will not work until a person changes something. ``code`` is stable, ``hint`` says what to press (Russian)."""

    def __init__(self, vendor: str, action: str, code: str, *, hint: str) -> None:
        super().__init__(vendor, action, code)
        self.code = code
        self.hint = hint


class NotReady(SvodkaError):
    """The thing does not exist yet and that is normal. ``retry_after``: seconds until the next look."""

    def __init__(self, what: str, *, retry_after: float) -> None:
        super().__init__(what)
        self.what = what
        self.retry_after = retry_after


class BadInput(SvodkaError):
    """What a person typed cannot be used. ``hint`` (Russian) shows how to write it."""

    def __init__(self, field: str, hint: str) -> None:
        super().__init__(f"{field}: {hint}")
        self.field = field
        self.hint = hint


class ConfigError(SvodkaError):
    """A setting is missing or wrong. ``variable`` is its name in the environment, ``hint`` (Russian) what to write."""

    def __init__(self, variable: str, hint: str) -> None:
        super().__init__(f"{variable}: {hint}")
        self.variable = variable
        self.hint = hint


NOT_CONNECTED = "not_connected"  # the refusal where nobody has allowed us in yet: nothing is broken, only not set up

# Refusals of a recogniser that concern one recording, not the connection: the call goes on without its words.
UNHEARABLE = frozenset({"bad_audio", "too_large", "too_long"})
