"""Documents: parsed, validated, and kept while they are in use."""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial

from graphql import (
    ASTValidationRule,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    validate,
)

from execution.errors import (
    MAX_ERRORS,
    PARSE_FAILED,
    VALIDATION_FAILED,
    RequestError,
    with_code,
)
from execution.limits import Measured, OperationLimits
from execution.operation import PreparedOperation

_MAX_WEIGHT = 50_000
"""Of all documents that are kept: 400 to 1,200 bytes for each of it."""

_TOKEN_LENGTH = 32
"""Characters that a text may have for each token it may have: many more than people write."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document that could be parsed; with `errors`, it is over a limit or not valid."""

    operations: tuple[PreparedOperation, ...]
    errors: tuple[GraphQLError, ...]
    weight: int
    """In tokens; so many blanks and comments weigh something, too, and so does each selection and
    field of a plan."""

    def operation(self, name: str | None) -> PreparedOperation:
        """GetOperation (GraphQL, section 6.1): never a guess between several.

        Raises RequestError (GRAPHQL_VALIDATION_FAILED).
        """
        if name is None:
            return self._only()
        for operation in self.operations:
            given = operation.definition.name
            if given is not None and given.value == name:
                return operation
        raise RequestError.of(f"Unknown operation named '{name}'.", VALIDATION_FAILED)

    def _only(self) -> PreparedOperation:
        if not self.operations:
            raise RequestError.of("The document has no operation.", VALIDATION_FAILED)
        if len(self.operations) > 1:
            raise RequestError.of(
                "Must provide operation name if query contains multiple operations.",
                VALIDATION_FAILED,
            )
        return self.operations[0]


class Documents:
    """The documents of a schema, the latest used ones in memory.

    What is not valid is kept as well: finding that out costs as much as for a valid document, and
    a client that sends it once sends it again. What cannot be parsed is not: that fails early.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        rules: Collection[type[ASTValidationRule]],
        max_tokens: int,
        limits: OperationLimits,
        cache_size: int,
        hide_suggestions: bool,
    ) -> None:
        self._schema = schema
        self._rules = rules
        self._limits = limits
        self._hide_suggestions = hide_suggestions
        self._max_tokens = max_tokens
        self._cache_size = cache_size
        self._cache: OrderedDict[str, Document] = OrderedDict()
        self._weight = 0

    def get(self, text: str) -> Document:
        """The document of a text. Raises RequestError (GRAPHQL_PARSE_FAILED)."""
        document = self._cache.get(text)
        if document is not None:
            self._cache.move_to_end(text)
            return document
        document = self._read(text)
        self._cache[text] = document
        self._weight += document.weight
        self._make_room()
        return document

    def _grow(self, text: str, weight: int) -> None:
        """More is kept with a document, unless it was forgotten meanwhile."""
        document = self._cache.get(text)
        if document is not None:
            self._cache[text] = replace(document, weight=document.weight + weight)
            self._weight += weight
            self._make_room()

    def _make_room(self) -> None:
        while len(self._cache) > self._cache_size or self._weight > _MAX_WEIGHT:
            self._weight -= self._cache.popitem(last=False)[1].weight

    def _read(self, text: str) -> Document:
        self._check_size(text)
        try:
            ast = parse(text, max_lexical_tokens=self._max_tokens)
        except GraphQLError as error:
            raise RequestError([with_code(error, PARSE_FAILED)]) from None
        measured = Measured(self._schema, ast, self._limits)
        # What is over a limit is not validated: some rules take much longer than measuring does.
        errors = measured.errors or validate(
            self._schema,
            ast,
            self._rules,
            max_errors=MAX_ERRORS,
            hide_suggestions=self._hide_suggestions,
        )
        definitions = (
            definition
            for definition in ast.definitions
            if isinstance(definition, OperationDefinitionNode)
        )
        weight = ast.token_count + len(text) // _TOKEN_LENGTH
        has_grown = partial(self._grow, text)
        operations = (
            PreparedOperation(self._schema, ast, definition, cost, weight, has_grown)
            for definition, cost in zip(definitions, measured.costs, strict=True)
        )
        return Document(
            tuple(operations),
            tuple(with_code(error, VALIDATION_FAILED) for error in errors),
            weight,
        )

    def _check_size(self, text: str) -> None:
        """Few lines, as they are counted for every error's location; they bound the comments, too,
        each of which takes memory like a token. Raises RequestError (GRAPHQL_PARSE_FAILED)."""
        breaks = text.count("\n") + text.count("\r") - text.count("\r\n")
        for count, most, what in (
            (len(text), self._max_tokens * _TOKEN_LENGTH, "characters"),
            (breaks + 1, self._max_tokens, "lines"),
        ):
            if count > most:
                message = f"The document has {count:,} {what}; at most {most:,} are allowed."
                raise RequestError.of(message, PARSE_FAILED)
