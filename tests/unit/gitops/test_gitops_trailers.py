"""Trailers, written and read."""

import pytest

from promote.gitops.trailers import message, parse


def test_the_trailers_are_the_last_paragraph_in_the_order_given():
    text = message(
        "promote web", ["two", "lines"], [("Promote-App", "web"), ("Promote-App", "api"), ("Promote-Env", "prod")]
    )
    assert text == "promote web\n\ntwo\nlines\n\nPromote-App: web\nPromote-App: api\nPromote-Env: prod\n"
    assert parse(text) == (("Promote-App", "web"), ("Promote-App", "api"), ("Promote-Env", "prod"))


def test_a_message_without_body_or_trailers_is_its_subject():
    assert message("promote web", [], []) == "promote web\n"
    assert message("\n", [], []) == "promote\n"


def test_what_looks_like_a_trailer_in_the_prose_is_not_read():
    text = message("Promote-App: a", ["Promote-Env: b", "see Promote-Env: c"], [("Promote-Kind", "promote")])
    assert parse(text) == (("Promote-Kind", "promote"),)


def test_trailers_are_found_before_text_that_a_squash_put_after_them():
    assert parse("squashed (#3)\r\n\r\nPromote-App: web\r\n\r\nCo-authored-by: a <a@b>\r\n") == (
        ("Promote-App", "web"),
    )


def test_values_stay_one_line_and_bounded():
    text = message("s", [], [("Promote-Reason", "a\n\tb\x00c\u2028d" + "x" * 5000)])
    assert text.count("\n") == 3
    assert text.split("\n")[2].startswith("Promote-Reason: a b c dxx")
    assert len(text) < 2100


def test_an_unknown_kind_of_name_is_refused():
    with pytest.raises(ValueError, match="Signed-off-by"):
        message("s", [], [("Signed-off-by", "me")])
