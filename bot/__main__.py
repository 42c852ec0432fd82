"""`python -m bot` is the same as `svodka`."""

import sys

from bot.cli import main

sys.exit(main())
