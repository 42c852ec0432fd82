"""What tests of digests share."""

from tests.ground import clock, database, lite  # noqa: F401
from tests.handlers.conftest import golden, pytest_addoption, reader  # noqa: F401
