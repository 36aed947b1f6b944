"""The bounds that the stock kind cannot keep: their tests run on it all the same, and must fail there."""

from typing import Final

_KEPT_OPEN: Final = "simple-websocket holds the socket until the client closes it or answers the close frame"
_NO_END: Final = "the queue of a client has no end, and its memory stays"

STOCK_CANNOT: Final = {
    "test_an_announced_length_is_refused_unread": "simple-websocket waits for the whole frame",
    "test_fragments_count_together_and_cost_no_memory": "the size is looked at when the whole message is in memory",
    "test_a_message_of_the_limit_passes_and_one_more_byte_does_not": "it neither says 1009 nor closes",
    "test_no_compression_is_negotiated": "simple-websocket accepts permessage-deflate, and inflates without a limit",
    "test_without_a_login_it_is_closed_in_time": "there is no timer for a login",
    "test_after_the_last_namespace_is_left_it_must_log_in_again": "there is no timer for a login",
    "test_refused_means_closed": _KEPT_OPEN,
    "test_many_logins_on_one_socket_are_one": _KEPT_OPEN,
    "test_only_so_many_wait_for_their_login": "nothing is counted",
    "test_binary_events_end_the_connection": _KEPT_OPEN,
    "test_binary_messages_end_the_connection": _KEPT_OPEN,
    "test_three_strikes": _KEPT_OPEN,
    "test_broken_frames_end_with_their_code": _KEPT_OPEN,
    "test_a_close_frame_is_answered": "it is answered, but " + _KEPT_OPEN,
    "test_a_flood_is_read_as_fast_as_it_is_handled": "simple-websocket reads on into a list without an end",
    "test_what_is_pipelined_behind_the_request_counts": "what pywsgi has buffered is lost",
    "test_slow_heads_are_given_up": "pywsgi waits for ever",
    "test_large_heads_are_refused": "pywsgi takes a hundred lines of 64 KiB",
    "test_slow_bodies_and_large_bodies_are_refused": "pywsgi has no such bounds",
    "test_kept_connections_end_when_idle": "pywsgi waits for ever",
    "test_only_so_many_requests_at_a_time": "nothing is counted",
    "test_a_slow_reader_is_closed_and_costs_nobody_else": _NO_END,
    "test_too_many_small_frames_close_a_slow_reader": _NO_END,
    "test_a_reader_that_takes_nothing_is_closed": "a client that sends PONGs may stay without reading",
    "test_a_slow_reader_within_the_bounds_gets_everything_in_order": "partial sends corrupt the stream",
    "test_a_client_that_answers_no_ping_is_closed": _KEPT_OPEN,
    "test_a_handler_that_takes_long_costs_no_ping_timeout": "the PONG waits behind the handler while the clock runs",
    "test_no_other_way_to_a_websocket": "a percent-encoded path is the same path",
}

STOCK_CAN: Final = {"test_three_strikes[stock-'430[1]']", "test_no_other_way_to_a_websocket[stock-with a sid]"}
"""Cases of the above that it does keep."""
