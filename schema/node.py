"""The Node interface of the Global Object Identification specification."""

import strawberry


@strawberry.interface(description="A record that can be fetched again by its id.")
class Node:
    id: strawberry.ID = strawberry.field(
        description="Global and stable: the Redis key of the record. Clients treat it as opaque."
    )
