"""Sessions, as their user sees them."""

from typing import Self

import strawberry

from schema.scalars import Moment, to_moment
from services import models


@strawberry.type(description="A log-in of the viewer.")
class Session:
    id: strawberry.ID = strawberry.field(description="Names the session; no credential.")
    created_at: Moment = strawberry.field(description="When it began.")
    last_used_at: Moment = strawberry.field(description="When it was last used, to the hour.")
    expires_at: Moment = strawberry.field(description="When it ends unless it is used before.")
    device: str = strawberry.field(
        description="What it was begun with, as the browser or program called itself."
    )
    is_current: bool = strawberry.field(description="Whether it is the one that asks.")

    @classmethod
    def of(cls, details: models.SessionDetails, viewer: models.Session) -> Self:
        session = details.session
        return cls(
            id=strawberry.ID(details.id),
            created_at=to_moment(details.created_at),
            last_used_at=to_moment(details.used_at),
            expires_at=to_moment(session.expires_at),
            device=details.device,
            is_current=session.token_hash == viewer.token_hash,
        )


@strawberry.input(description="Which session to end.")
class EndSessionInput:
    session_id: strawberry.ID = strawberry.field(description="The session's id.")


@strawberry.type(description="A session that was ended.")
class EndSessionPayload:
    session: Session = strawberry.field(description="The session, as it was.")


@strawberry.type(description="Sessions that were ended.")
class EndOtherSessionsPayload:
    sessions: list[Session] = strawberry.field(description="The sessions, as they were.")
