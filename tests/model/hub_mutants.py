#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks hubs on purpose, one way at a time, and sees that a model notices.

  hub_mutants.py [NAME]...    those of hub_list.py, or only these, by the models of hub_genmc.py

As wake_mutants.py in all else.
"""
import sys

import wake_mutants
from hub_genmc import HUBS
from hub_list import MUTANTS

if __name__ == "__main__":
    sys.exit(wake_mutants.main(HUBS, MUTANTS))
