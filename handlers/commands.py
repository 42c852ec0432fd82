"""Which commands a person sees in the menu: by role and by kind of chat."""

from domain.messages import Texts
from domain.roles import Role
from handlers.texts import load_texts

PRIVATE = "private"
# For those who drop updates that came too late: taps that only show something, commands that change something.
READING_BUTTONS = (
    *("list", "call", "rec", "text", "more", "why", "errors", "settings", "people", "status", "held", "check", "chkall"),
    *("queue", "metrics"),
    *("rpage", "rat", "rconf", "redit", "rno", "vroom"),
    *("regs", "reg", "rlink", "rules", "rule", "stgs", "stgp", "stg"),
    *("fig", "fhow", "fcsv", "fpic", "vis", "viscsv", "add", "cmp", "cmphow", "debt"),
    *("exp", "expw", "expp"),
    *("cl", "cties", "creg", "lcard", "lwaits"),
    *("spm", "spl", "spc", "spe", "spnew"),
    *("tasks", "tnow", "tsk", "town", "emps", "emp"),
    *("ctasks", "ctback", "ct", "ctwho", "ctdue"),
    *("ads", "adrule", "adnone", "adapply"),
    *("keys", "key", "keyrot", "keyoff"),
    *("dgall", "dgfew", "dgnow", "dgpng", "dgs", "dg"),
    *("hs", "hsu", "hsq", "ho", "em", "emd", "emq", "eo", "dp", "dst", "hmap", "hmf", "hmp"),
    *("webs", "web", "wlist", "wg", "wagain", "wga", "wp", "wra", "wfile", "wmore"),
    *("vw", "vwb", "vraw", "vpast", "vpb", "vjoin", "vno", "wall", "seg", "sg", "sgf", "wsum", "wwho"),
)
WRITING_COMMANDS = ("start", "старт", "bind", "привязать", "settings", "настройки", "digest", "дайджест")
_EVERYBODY = (
    "calls",
    "client",
    "digest",
    "tasks",
    "company",
    "conversions",
    "creatives",
    "export",
    "webinars",
    "register",
    "visited",
    "viewer",
    "link",
    "add",
    "houses",
    "staff",
    "departments",
    "stats",
    "why",
    "help",
    "start",
)
_ADMINS = ("spend", "status", "check", "errors", "queue", "metrics", "settings")
_IN_GROUPS = (
    *("calls", "client", "digest", "company", "conversions", "creatives", "webinars", "visited"),
    *("houses", "staff", "stats", "why", "help"),
)


def commands_for(role: Role | None, chat_kind: str, texts: Texts | None = None) -> list[tuple[str, str]]:
    """(name, description) in the order of the menu. ``role`` None: somebody the bot does not know."""
    texts = texts or load_texts()
    return [(name, texts.get(f"command.{name}")) for name in _names(role, chat_kind)]


def _names(role: Role | None, chat_kind: str) -> tuple[str, ...]:
    if role is None:
        return ("start",) if chat_kind == PRIVATE else ()
    if chat_kind != PRIVATE:
        return (*_IN_GROUPS, "bind") if role.runs_the_bot else _IN_GROUPS
    return (*_EVERYBODY[:-2], *_ADMINS, *_EVERYBODY[-2:]) if role.runs_the_bot else _EVERYBODY
