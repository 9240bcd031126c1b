# SPDX-License-Identifier: GPL-3.0-or-later
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from sealbridge_fixtures import *  # noqa: E402,F401,F403 (fixtures by name)
