"""Others on the same Redis: hostile ones, and servers whose clocks are wrong."""

import asyncio
import json
import time

from application.loadtest.ledger import Acknowledged
from tests.faults.callers import GENERAL, PRIVATE
from tests.faults.drill import Drill
from tests.faults.load import Load
from tests.faults.stores import FaultStore

ROUNDS = (0.2, 0.4, 0.6)
ENVELOPES = (
    b"\xff\xfe\x00",
    b"",
    b"null",
    b"[]",
    b"{",
    b'{"serverId":"x","type":"message"}',
    b'{"serverId":"x","type":"message","data":null}',
    b'{"serverId":"x","type":"message","data":{"from":{},"date":[],"message":7,"roomId":-1}}',
    b'{"serverId":"x","type":"message","data":{"from":"1","date":1e999,"message":"","roomId":"0"}}',
    b'{"serverId":"x","type":"message","data":{"from":"9","date":1,"message":"?","roomId":"7:8"}}',
    b'{"serverId":"x","type":"user.disconnected","data":{"id":"1","online":"no"}}',
    b'{"serverId":"x","type":"show.room","data":{"id":"online_users","names":7}}',
    b'{"serverId":"x","type":"message","data":"' + b"\\ud800" * 10 + b'"}',
    b'{"serverId":"x","type":"message","data":{"message":"' + b"x" * 2_000_000 + b'"}}',
    b"[" * 100_000,
)
RINGS = (
    b"\xff\xfe",
    b"",
    b"room:0",
    b"room:0 -1",
    b"room:0 0",
    b"room:0 999999999999999",
    b"room:0 " + b"9" * 1_000,
    b"room:99 1",
    b"user:1 999999999999999",
    b"online_users 1",
    b"x" * 2_000_000,
)
CLOCKS = (-5.0, 0.0, 1.5, 1_600_000_000.0, 2_147_483_647.0, 4_102_444_800.25, 1.8e12)
"""Seconds: before the epoch, fractional, long ago, far ahead, and milliseconds by mistake."""


async def test_hostile_envelopes(drill: Drill[FaultStore]) -> None:
    """Strangers publish rubbish, and messages with odd clocks"""
    await drill.serve(2)
    async with drill.load() as load:
        for number, share in enumerate(ROUNDS):
            await load.reach(share)
            publish_rubbish(drill.store)
            for clock in (*CLOCKS, time.time() - 3_600, time.time()):
                for room_id in (GENERAL, PRIVATE):
                    say(drill.store, load, room_id, f"stranger {number} {room_id} {clock}", clock)
                await asyncio.sleep(0)
            load.expect_recovery()


def publish_rubbish(store: FaultStore) -> None:
    for envelope in ENVELOPES:
        store.operator.publish("MESSAGES", envelope)
    for ring in RINGS:
        store.operator.publish("parley:log", ring)


def say(store: FaultStore, load: Load, room_id: str, text: str, clock: float) -> None:
    """A message as another server stores and publishes it (docs/data-model.md)."""
    message = {"from": "1", "date": clock, "message": text, "roomId": room_id.removeprefix("room:")}
    envelope = {"serverId": "stranger", "type": "message", "data": message}
    sent_at = time.monotonic()
    with store.operator.pipeline() as pipe:
        pipe.zadd(room_id, {json.dumps(message): clock})
        pipe.publish("MESSAGES", json.dumps(envelope))
        pipe.execute()
    load.ledger.acknowledge(Acknowledged(text, room_id, None, sent_at))
