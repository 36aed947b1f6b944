"""What the browser's program knows of the protocol is what stands here."""

import protocol_js


def test_it_is_up_to_date() -> None:
    assert protocol_js.FILE.read_text(encoding="utf-8") == protocol_js.text()
    assert protocol_js.DECLARED.read_text(encoding="utf-8") == protocol_js.declared()
