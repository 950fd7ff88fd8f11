"""What is pasted into the live page or stands in its address, however wrong: said in words, or ignored."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("1,0\n2,x\n", "Line 2: “2,x”"),
        ("1,0\n2,2", "Line 2"),
        ("<b>1</b>,0", "Line 1: “<b>1</b>,0”"),
        ("", "Line 1"),
        ("1e31,1", "Line 1"),
        ("1,0,3", "Line 1"),
        ("1,0\nInfinity,1", "Line 2"),
    ],
)
def test_a_pasted_table_with_a_slip_is_refused_by_its_line_and_nothing_changes(lesson, table, said):
    page = lesson.open("more=1").page
    page.fill("#pasted", table)
    page.click("#points-take")
    assert said in page.locator("#points .wrong").inner_text()
    assert len(lesson.hours()) == 3


def test_a_pasted_table_is_taken_with_or_without_names_and_its_separators(lesson):
    page = lesson.open("more=1").page
    for table in ("hours,passed\n0.5,0\n12.5,1", "0.5\t0\r\n12.5\t1\r\n", "0.5 0\n\n12.5; 1"):
        page.fill("#pasted", table)
        page.click("#points-take")
        assert lesson.hours() == [(0.5, False), (12.5, True)]
        page.click("#points-three")


@pytest.mark.parametrize(
    ("points", "key"),
    [("2:1", "one-class"), ("1:1_2:1", "one-class"), ("2:0_2:1", "alike"), ("2:0_2:0_2:0", "one-class")],
)
def test_one_point_one_class_and_identical_points_are_said_and_break_nothing(lesson, points, key):
    page = lesson.open(f"p={points}&steps=1000&more=1").rest(1000).page
    assert key in lesson.notices()
    page.click("#step")
    lesson.rest(1001)


@pytest.mark.parametrize(
    "fragment",
    [
        "p=1:0_2:7",
        "p=%3Cscript%3E",
        "rate=-1&seed=x&batch=1.5",
        "steps=-4",
        "optimizer=toString",
        "guide=99",
        "p=NaN:1",
    ],
)
def test_an_address_with_nonsense_opens_the_page_as_if_it_were_not_there(lesson, fragment):
    lesson.open(fragment).rest(0)
    assert lesson.hours() == [(1, False), (2, False), (3, True)]


def test_no_other_script_or_style_can_run(lesson, page):
    policy = page.locator("meta[http-equiv]").get_attribute("content")
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert policy.count("sha256-") == 2
