"""The version, as the package's metadata has it."""

from importlib.metadata import PackageNotFoundError, version


def _read() -> str:
    try:
        return version("svodka")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0.0.0"


VERSION = _read()
