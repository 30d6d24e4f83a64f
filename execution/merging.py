"""The rule that fields of one name can be merged, at a bounded price."""

from typing import Any

from graphql import OverlappingFieldsCanBeMergedRule, ValidationContext
from graphql.validation.validate import ValidationAbortedError

_MAX_COMPARISONS = 10_000
"""Enough for a hundred fields of one name; graphql-core would make half a million."""


class MergingRule(OverlappingFieldsCanBeMergedRule):
    """graphql-core's, which compares fields and fragments with each other, but not for ever.

    Fields that no operation reaches are compared as well, where measuring does not look.
    """

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = _MAX_COMPARISONS

    def enter_selection_set(self, *args: Any) -> None:
        try:
            super().enter_selection_set(*args)
        except ValidationAbortedError:
            raise ValidationAbortedError(
                "The document has too many fields and fragments that may overlap;"
                f" at most {_MAX_COMPARISONS:,} comparisons are allowed."
            ) from None
