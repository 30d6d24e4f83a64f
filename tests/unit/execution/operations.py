"""Operations for a schema, made at random: valid ones, but for a few."""

from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
)


class Writer:
    """Writes one operation."""

    def __init__(self, schema: GraphQLSchema, random: Random, root: GraphQLObjectType) -> None:
        self._schema = schema
        self._random = random
        self._fragments: dict[str, str] = {}
        self._declared: dict[str, str] = {}
        self.variables: dict[str, Any] = {}
        kind = {schema.query_type: "query", schema.mutation_type: "mutation"}.get(root)
        selections = self._selections(root, depth=5)
        declared = " ".join(f"${name}: {type_}" for name, type_ in self._declared.items())
        head = f"{kind} ({declared})" if declared else str(kind)
        self.document = "\n".join([f"{head} {selections}", *self._fragments.values()])

    def _selections(self, type_: GraphQLNamedType, depth: int) -> str:
        count = self._random.choice([1, 1, 2, 2, 3, 4])
        return "{ " + " ".join(self._selection(type_, depth) for _ in range(count)) + " }"

    def _selection(self, type_: GraphQLNamedType, depth: int) -> str:
        dice = self._random.random()
        if dice < 0.06 or not hasattr(type_, "fields"):
            if dice < 0.03 or depth < 1:
                return "__typename"
            return self._inline_fragment(type_, depth - 1)
        if dice < 0.14 and depth > 1:
            return self._inline_fragment(type_, depth - 1)
        if dice < 0.2 and depth > 1:
            return self._spread(type_, depth - 1)
        return self._field(type_, depth)

    def _field(self, type_: Any, depth: int) -> str:
        names = [
            name
            for name, field in type_.fields.items()
            if depth > 1 or not is_composite_type(get_named_type(field.type))
        ]
        if not names:
            return "__typename"
        name = self._random.choice(names)
        field = type_.fields[name]
        arguments = self._arguments(field.args)
        text = f"{name}{arguments}{self._condition()}"
        if arguments or self._random.random() < 0.2:
            # The same alias stands for the same field and arguments wherever it is.
            text = f"{name}_{sum(map(ord, arguments))}: {text}"
        named = get_named_type(field.type)
        if is_composite_type(named):
            text += " " + self._selections(named, depth - 1)
        return text

    def _inline_fragment(self, type_: GraphQLNamedType, depth: int) -> str:
        on = self._random.choice([None, *self._overlapping(type_)])
        condition = "" if on is None else f" on {on.name}"
        return f"...{condition}{self._condition()} {self._selections(on or type_, depth)}"

    def _spread(self, type_: GraphQLNamedType, depth: int) -> str:
        on = self._random.choice(self._overlapping(type_))
        name = f"F{len(self._fragments)}"
        self._fragments[name] = ""
        self._fragments[name] = f"fragment {name} on {on.name} {self._selections(on, depth)}"
        return f"...{name}{self._condition()}"

    def _overlapping(self, type_: GraphQLNamedType) -> list[GraphQLNamedType]:
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            return [type_, *self._schema.get_possible_types(type_)]
        interfaces = type_.interfaces if isinstance(type_, GraphQLObjectType) else ()
        return [type_, *interfaces]

    def _condition(self) -> str:
        if self._random.random() > 0.15:
            return ""
        name = self._random.choice(["skip", "include"])
        value = self._random.choice(["true", "false", ""]) or self._variable("Boolean!", True)
        return f" @{name}(if: {value})"

    def _arguments(self, arguments: dict[str, GraphQLArgument]) -> str:
        given = []
        for name, argument in arguments.items():
            if is_required_argument(argument) or self._random.random() < 0.4:
                given.append(f"{name}: {self._value(argument.type)}")
        return f"({', '.join(given)})" if given else ""

    def _value(self, type_: GraphQLInputType) -> str:
        literal = self._literal(type_)
        if self._random.random() < 0.35:
            return self._variable(str(type_), self._python(type_), literal)
        return literal

    def _variable(self, type_: str, value: Any, default: str | None = None) -> str:
        name = f"v{len(self._declared)}"
        dice = self._random.random()
        if type_ == "Boolean!":
            value = dice < 0.5
        if default is not None and dice < 0.5:
            self._declared[name] = f"{type_} = {default}"
            if dice < 0.25:
                return f"${name}"
        else:
            self._declared[name] = type_
            if default is not None and not type_.endswith("!") and dice > 0.9:
                return f"${name}"
        self.variables[name] = value
        return f"${name}"

    def _literal(self, type_: Any) -> str:
        match type_:
            case GraphQLNonNull():
                return self._literal(type_.of_type)
            case GraphQLList():
                return f"[{self._literal(type_.of_type)}]"
            case GraphQLEnumType():
                return str(self._random.choice(list(type_.values)))
            case GraphQLInputObjectType():
                members = [
                    f"{name}: {self._literal(field.type)}" for name, field in self._members(type_)
                ]
                return "{" + ", ".join(members) + "}"
        return {"Int": str(self._random.randrange(9)), "String": '"s"', "Boolean": "true"}.get(
            type_.name, '"room:0"'
        )

    def _members(self, type_: GraphQLInputObjectType) -> list[tuple[str, GraphQLInputField]]:
        return [
            (name, field)
            for name, field in type_.fields.items()
            if is_required_input_field(field) or self._random.random() < 0.4
        ]

    def _python(self, type_: Any) -> Any:
        match type_:
            case GraphQLNonNull():
                return self._python(type_.of_type)
            case GraphQLList():
                return [self._python(type_.of_type)]
            case GraphQLEnumType():
                return str(self._random.choice(list(type_.values)))
            case GraphQLInputObjectType():
                return {name: self._python(field.type) for name, field in self._members(type_)}
        return {"Int": self._random.randrange(9), "String": "s", "Boolean": True}.get(
            type_.name, "room:0"
        )
