"""Rules that a feed may ask of a column's values, beyond their type. A module each; ``RULES`` lists them all.

``rule``                       what a rule is: its field in feed files, its types, its reason, which values break it
``minimum``, ``maximum``       bounds
``allowed``, ``not_allowed``   lists of values
``pattern``                    a regular expression
``asked``                      the rules of one column, checked against its type and against each other
``values``                     a value in a feed file as the column's values are

``FactColumn``'s fields, their texts and JSON Schema, the table of reasons and the checks of the reader are made of
``RULES``. Feed files are read without numpy and Arrow, so a rule imports them where it looks at values.
"""

from __future__ import annotations

from factload.rules.allowed import ALLOWED
from factload.rules.maximum import MAXIMUM
from factload.rules.minimum import MINIMUM
from factload.rules.not_allowed import NOT_ALLOWED
from factload.rules.pattern import PATTERN
from factload.rules.rule import Rule

# In the order of a feed's fields. A value that breaks several rules is rejected for the first of them.
RULES: tuple[Rule, ...] = (MINIMUM, MAXIMUM, ALLOWED, NOT_ALLOWED, PATTERN)
