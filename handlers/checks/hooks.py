"""Setting a vendor's hook at somebody's word, and what came of it in words for them."""

from domain.errors import BadInput, VendorRefused, VendorUnavailable
from domain.webhooks import HookState
from handlers.desk import Desk

FORBIDDEN = "forbidden"


async def subscribed(desk: Desk, vendor: str) -> str:
    title = desk.vendors.get(vendor, vendor)
    try:
        standing = await desk.subscribe(vendor)
    except BadInput as error:
        return error.hint
    except VendorRefused as error:
        name = "alert.hook_forbidden" if error.code == FORBIDDEN else "alert.hook_refused"
        return desk.texts.get(name, title=title, hint=error.hint)
    except VendorUnavailable:
        return desk.texts.get("alert.hook_later", title=title)
    return desk.texts.get("alert.hook_subscribed" if standing.state is HookState.ON else "alert.hook_still", title=title)
