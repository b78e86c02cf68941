"""What a real run's certificate states, against the seventeen fields that are asked for from outside."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from evidence.statement import draft
from tests.retention.test_removal import REMOVED, Register
