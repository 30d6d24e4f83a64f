from application.transports.accept import Accept

OFFERS = ("application/json", "text/event-stream")


def test_absent_header_accepts_anything() -> None:
    assert Accept("").best(OFFERS) == "application/json"


def test_highest_quality_wins() -> None:
    assert Accept("application/json;q=0.1, text/event-stream").best(OFFERS) == OFFERS[1]


def test_first_of_equals_wins() -> None:
    assert Accept("text/event-stream, application/json").best(OFFERS) == OFFERS[1]
    assert Accept("application/json, text/event-stream").best(OFFERS) == OFFERS[0]


def test_narrow_range_overrides_wildcard() -> None:
    assert Accept("application/json;q=0, */*").best(OFFERS) == OFFERS[1]
    assert Accept("*/*;q=0.1, text/*").best(OFFERS) == OFFERS[1]


def test_nothing_acceptable() -> None:
    assert Accept("text/plain, application/json;q=0").best(OFFERS) is None


def test_malformed_ranges_do_not_count() -> None:
    assert Accept("nonsense, /, application/json;q=x").best(OFFERS) is None


def test_wildcards_do_not_name() -> None:
    assert Accept("Text/Event-Stream; charset=utf-8").names("text/event-stream")
    assert not Accept("*/*, text/*").names("text/event-stream")
    assert not Accept("text/event-stream;q=0").names("text/event-stream")


def test_parameters() -> None:
    accept = Accept('multipart/mixed;q=0.9;Boundary=x; subscriptionSpec="1.0", multipart/mixed')
    assert accept.names("multipart/mixed")
    assert accept.names("multipart/mixed", subscriptionspec="1.0")
    assert not accept.names("multipart/mixed", subscriptionspec="2.0")
    assert not Accept("multipart/mixed;a=b;q=0").names("multipart/mixed", a="b")
