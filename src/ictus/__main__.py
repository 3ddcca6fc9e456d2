"""`python -m ictus`: the command line."""

import sys

from ictus.cli import main

sys.exit(main())
