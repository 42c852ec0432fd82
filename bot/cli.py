"""The console script `svodka`: which command was meant, and how its failures are told.

Nothing heavy is imported here: each command is a module of bot.commands, loaded by name when it is the one asked for.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import NoReturn, cast

from domain.errors import ConfigError

Execute = Callable[[argparse.Namespace, Sequence[str]], int]

WRONG_SETTINGS = 2
INTERRUPTED = 130

# argparse speaks English; these are all the complaints that our parsers can make
_COMPLAINTS = (
    (r"unrecognized arguments: (.*)", "лишнее: {0}"),
    (r".*invalid choice: '?(.*?)'? \(choose.*", "нет такой команды: {0}"),
    (r"the following arguments are required: (.*)", "не хватает: {0}"),
    (r"argument (\S+).*: expected .* argument", "у {0} не хватает значения"),
    (r"argument (\S+).*: ignored explicit argument '?(.*?)'?", "{0} пишется без значения"),
)


class _Formatter(argparse.HelpFormatter):
    """Help in Russian."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=100)

    def add_usage(
        self,
        usage: str | None,
        actions: object,
        groups: object,
        prefix: str | None = None,
    ) -> None:
        super().add_usage(usage, actions, groups, prefix or "Как вызвать: ")  # type: ignore[arg-type]


class _Parser(argparse.ArgumentParser):
    """A parser whose help and complaints are Russian; abbreviations of options are not guessed."""

    def __init__(self, *, prog: str, description: str, add_help: bool = True) -> None:
        super().__init__(prog=prog, description=description, formatter_class=_Formatter, add_help=False, allow_abbrev=False)
        self._positionals.title = "Что указать"  # argparse knows no other way to name it
        self.options = self.add_argument_group("Можно указать")
        if add_help:
            self.options.add_argument("-h", "--help", action="help", help="показать эту справку")

    def error(self, message: str) -> NoReturn:
        for pattern, told in _COMPLAINTS:
            if match := re.fullmatch(pattern, message, re.DOTALL):
                message = told.format(*match.groups())
                break
        self.exit(WRONG_SETTINGS, f"{message}\n{self.format_usage()}")


class _Version(argparse.Action):
    """--version, whose answer is looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from bot.version import VERSION

        sys.stdout.write(f"svodka {VERSION}\n")
        parser.exit(0)


def build_parser() -> argparse.ArgumentParser:
    """Every command with its arguments. ``module`` is where it lives."""
    parser = _Parser(prog="svodka", description="Сводка: звонки и вебинары команды в Telegram.")
    parser.options.add_argument("--version", action=_Version, nargs=0, help="показать версию")
    commands = parser.add_subparsers(title="Команды", metavar="КОМАНДА", required=True, dest="command", parser_class=_Parser)

    def command(name: str, about: str, *, aliases: Sequence[str] = ()) -> _Parser:
        made = commands.add_parser(
            name, help=about, description=f"{about[0].upper()}{about[1:]}.", prog=f"svodka {name}", aliases=list(aliases)
        )
        made.set_defaults(module=name)
        return made

    command("run", "запустить бота; настройки берутся из .env")
    demo = command("demo", "показать всё на одной странице без ключей и учётных записей")
    demo.options.add_argument("--real-model", action="store_true", help="саммари пишет модель из LLM_…, а не черновик")
    demo.options.add_argument("--port", metavar="ПОРТ", help="порт страницы")
    demo.options.add_argument("--no-browser", action="store_true", help="не открывать браузер")
    command("migrate", "привести базу к этой версии программы; сначала делает резервную копию")
    check = command(
        "check", "проверить токены, права, адреса и модели; о каждой беде — что нажать", aliases=("doctor", "check-config")
    )
    check.add_argument("only", nargs="?", metavar="ЧТО", help="только одно: settings, data, telegram, public, bitrix24, …")
    check.options.add_argument("--subscribe", action="store_true", help="сначала поставить вебхук: check amocrm --subscribe")
    check.options.add_argument("--rehearse", action="store_true", help="провести учебный звонок через работающую Сводку")
    urls = command("urls", "показать адреса, которые надо вставить у вендоров")
    urls.options.add_argument("--json", action="store_true", help="для программ: вендор → список {event, url}")
    replay = command("replay", "провести событие ещё раз: из журнала или из файла с записанным запросом")
    replay.add_argument("what", metavar="НОМЕР|ФАЙЛ", help="номер доставки из журнала или файл .http")
    replay.options.add_argument("--vendor", metavar="ВЕНДОР", help="чей запрос в файле, если по адресу не понять")
    table = command("import", "загрузить лиды или расходы из таблицы .csv или .xlsx")
    table.set_defaults(module="load")
    table.add_argument("file", nargs="?", metavar="ФАЙЛ", help="таблица; колонки узнаются по названиям")
    table.options.add_argument(
        "--kind", metavar="ЧТО", help="leads, spend, creatives или directions, если не понять по колонкам"
    )
    table.options.add_argument("--yes", action="store_true", help="загрузить без вопроса")
    table.options.add_argument(
        "--undo", metavar="НОМЕР", type=int, help="отменить загрузку с этим номером: в течение суток после неё"
    )
    table = command("export", "выгрузить список или цифры в файл для Excel; без слов — что можно выгрузить")
    table.add_argument("what", nargs="*", metavar="ЧТО", help="звонки, лиды, клиенты, …; за ноябрь, с 1 по 15 ноября")
    table.options.add_argument("--from", dest="first", metavar="ДЕНЬ", help="первый день: 2026-11-01")
    table.options.add_argument("--to", dest="last", metavar="ДЕНЬ", help="последний день")
    table.options.add_argument("--format", metavar="ВИД", help="xlsx или csv; по умолчанию xlsx")
    table.options.add_argument("--out", metavar="ФАЙЛ", help="куда; «-» — csv в стандартный вывод")
    table.options.add_argument("--names", action="store_true", help="названия колонок для программ, а не для людей")
    command("status", "показать, как дела у работающей Сводки")
    backup = command("backup", "сделать резервную копию; Сводку останавливать не нужно")
    backup.add_argument("file", nargs="?", metavar="ФАЙЛ", help="куда; по умолчанию в папку backups внутри DATA_DIR")
    backup.options.add_argument("--without-keys", action="store_true", help="не класть в копию ключи")
    restore = command("restore", "восстановить данные из резервной копии; Сводка должна быть остановлена")
    restore.add_argument("file", nargs="?", metavar="ФАЙЛ", help="резервная копия, сделанная svodka backup")
    restore.options.add_argument(
        "--already", action="store_true", help="данные уже вернули иначе (pg_restore, снимок диска): только пометить старое"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status: 0 done, 1 not done, 2 called or set up wrongly."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no Cyrillic must not stop the program
    os.umask(0o077)  # the database, recordings and transcripts are nobody else's on this machine
    parser = build_parser()
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.module != "demo":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return _execute(arguments.module)(arguments, rest)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_SETTINGS
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _execute(module: str) -> Execute:
    return cast("Execute", import_module(f"bot.commands.{module}").execute)
