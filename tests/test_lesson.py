"""The lesson learns as a plain PyTorch loop does, and what it says of itself is true at every setting."""

import json
import math
import threading

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from passline.errors import DataError, OneClassError, OptionError
from passline.lesson import OPTIMIZERS, as_json, draw, explain, run, train
from passline.lesson_truth import limit_boundary, separation

STUDY = [0.50, 0.75, 1.00, 1.25, 1.50, 1.75, 1.75, 2.00, 2.25, 2.50]
STUDY += [2.75, 3.00, 3.25, 3.50, 4.00, 4.25, 4.50, 4.75, 5.00, 5.50]
RESULT = [0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1]


def plain_losses(seed, reduction="sum", criterion=torch.nn.functional.binary_cross_entropy, epochs=1000):
    """The lesson's loop once more, by hand and without an optimizer."""
    torch.manual_seed(seed)
    linear = torch.nn.Linear(1, 1)
    x, y = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[0.0], [0.0], [1.0]])
    losses = []
    for _ in range(epochs):
        loss = criterion(1 / (1 + torch.exp(-linear(x))), y, reduction=reduction)
        losses.append(loss.item())
        gradients = torch.autograd.grad(loss, list(linear.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(linear.parameters(), gradients, strict=True):
                parameter.sub_(0.01 * gradient)
    return losses, linear.weight.item(), linear.bias.item()


@pytest.mark.parametrize("seed", [0, 7])
def test_all_thousand_losses_are_those_of_a_plain_loop_from_the_same_parameters(seed):
    losses, weight, bias = plain_losses(seed)
    lesson = train(seed=seed)
    assert lesson.losses == pytest.approx(losses, abs=1e-5)
    assert (lesson.weight, lesson.bias) == pytest.approx((weight, bias), abs=1e-5)


def test_the_mean_and_the_squared_error_descend_as_a_plain_loop_does():
    for reduction, loss, criterion in (
        ("mean", "bce", torch.nn.functional.binary_cross_entropy),
        ("sum", "mse", torch.nn.functional.mse_loss),
    ):
        lesson = train(reduction=reduction, loss=loss, epochs=200)
        assert lesson.losses == pytest.approx(plain_losses(0, reduction, criterion, 200)[0], abs=1e-5)


@pytest.mark.parametrize("seed", [0, 3, 2**40])
def test_after_a_thousand_epochs_the_boundary_lies_between_2_41_and_2_43(seed):
    lesson = train(seed=seed)
    assert 2.41 <= lesson.boundary <= 2.43
    assert lesson.boundary == pytest.approx(-lesson.bias / lesson.weight)
    assert [p > 0.5 for p in lesson.probabilities.values()] == [False, False, True]
    assert list(lesson.probabilities) == ["1", "2", "3"]


def test_the_twenty_students_end_where_the_sum_or_the_mean_takes_them():
    summed, mean = train(STUDY, RESULT), train(STUDY, RESULT, reduction="mean")
    assert (summed.weight, summed.boundary) == pytest.approx((1.465, 2.703), abs=5e-4)
    assert (mean.weight, mean.boundary) == pytest.approx((0.414, 1.724), abs=5e-4)


def test_summing_is_averaging_at_a_rate_n_times_as_large():
    summed = train(epochs=300)
    mean = train(epochs=300, reduction="mean", learning_rate=0.03)
    assert mean.weight == pytest.approx(summed.weight, abs=1e-5)
    assert [3 * loss for loss in mean.losses] == pytest.approx(summed.losses, abs=1e-4)


def test_the_callers_random_numbers_are_left_as_they_were():
    torch.manual_seed(42)
    expected = torch.rand(3)
    torch.manual_seed(42)
    train(epochs=2)
    assert torch.equal(torch.rand(3), expected)


def test_losses_are_reported_each_so_many_epochs_and_at_the_last():
    lines = []
    lesson = train(epochs=25, every=10, report=lines.append)
    assert lines == [f"epoch {epoch}  loss {lesson.losses[epoch - 1]:.4f}" for epoch in (10, 20, 25)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"epochs": 1.5}, "epochs is 1.5"),
        ({"epochs": True}, "epochs is True"),
        ({"every": -1}, "every is -1"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**64}, "seed is 18446744073709551616"),
        ({"learning_rate": 0.0}, "learning rate, is 0.0"),
        ({"learning_rate": -1}, "learning rate, is -1"),
        ({"learning_rate": math.nan}, "learning rate, is nan"),
        ({"learning_rate": math.inf}, "learning rate, is inf"),
        ({"learning_rate": 1e39}, "learning rate, is 1e\\+39"),
        ({"learning_rate": "fast"}, "learning rate, is 'fast'"),
        ({"reduction": "none"}, "'none', which is unknown: choose one of sum, mean"),
        ({"loss": "hinge"}, "choose one of bce, mse"),
        ({"optimizer": "SGD"}, "choose one of sgd, momentum, nesterov, adam, adamw, rmsprop, adagrad"),
    ],
)
def test_a_setting_outside_its_range_is_refused_by_name(wrong, said):
    with pytest.raises(OptionError, match=said):
        train(**wrong)


@pytest.mark.parametrize(
    ("hours", "passed", "error"),
    [
        ([1, 2], [0], DataError),
        ([], [], OneClassError),
        ([1, 2], [1, 1], OneClassError),
        ([1, math.nan], [0, 1], DataError),
        ([1, 1e39], [0, 1], DataError),
        ([1, 2], [0, 2], DataError),
        (["one", 2], [0, 1], DataError),
    ],
)
def test_points_that_teach_nothing_are_refused(hours, passed, error):
    with pytest.raises(error):
        train(hours, passed)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("rate", [1e-60, 0.01, 100.0, 1e30])
def test_no_optimizer_and_no_rate_ends_in_anything_but_valid_json_and_words(optimizer, rate, capsys):
    run(optimizer=optimizer, lr=rate, epochs=60, json=True)
    document = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert len(document["losses"]) == 60
    assert document["settings"]["optimizer"] == optimizer
    run(optimizer=optimizer, lr=rate, epochs=60, every=0)
    words = capsys.readouterr().out
    assert "nan" not in words
    assert "inf" not in words


def test_a_rate_beyond_all_numbers_is_told_in_a_sentence_and_as_null():
    lesson = train([0, 1], [0, 1], optimizer="adamw", learning_rate=1e30, epochs=50)
    assert math.isnan(lesson.losses[-1])
    assert "learning rate 1e+30 is too large" in explain(lesson)
    assert as_json(lesson)["losses"][-1] is None
    assert as_json(lesson)["boundary"] is None


def test_a_rate_at_which_the_loss_rises_is_called_too_large():
    text = explain(train(learning_rate=100, epochs=50))
    assert "The loss rose from 2.449 to 100: the learning rate 100 is too large" in text
    assert "heading" not in text


def test_json_holds_exactly_one_document_with_the_contracts_names(capsys):
    run(epochs=40, json=True)
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {
        "losses", "weight", "bias", "boundary", "probabilities", "separation", "limit_boundary", "firth", "settings",
    }  # fmt: skip
    assert (document["separation"], document["limit_boundary"]) == ("complete", 2.5)
    # Firth's estimate of the three points, as logistf gives it.
    assert document["firth"] == {
        "weight": pytest.approx(1.39814, abs=5e-6),
        "bias": pytest.approx(-3.38844, abs=5e-6),
        "boundary": pytest.approx(2.4235, abs=5e-5),
    }
    assert document["settings"] == {
        "epochs": 40, "lr": 0.01, "seed": 0, "reduction": "sum", "loss": "bce", "optimizer": "sgd",
    }  # fmt: skip


def test_the_closing_words_say_what_is_read_off_and_what_is_really_so():
    lesson = train()
    text = explain(lesson)
    for said in (
        f"meets 0.5 at {lesson.boundary:.4g} hours",
        "completely separated",
        "the weight would grow for ever",
        "2.5 hours is where this descent is heading",
        "Every line between 2 and 3 hours would do as well",
    ):
        assert said in " ".join(text.split())
    assert len(text.splitlines()) <= 15
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("changed", [{"loss": "mse"}, {"optimizer": "adam"}, {"optimizer": "adamw"}])
def test_where_the_descent_is_heading_is_said_only_of_plain_descent_on_the_cross_entropy(changed):
    assert "heading" not in explain(train(epochs=50, **changed))


def test_a_curve_that_still_falls_is_called_falling():
    lesson = train(epochs=1)
    assert lesson.weight < 0
    assert "it falls, so one passes up to there" in explain(lesson)
    assert "Only 1 of 3 students" in explain(lesson)


def test_points_that_overlap_have_no_limit_and_are_not_called_separated():
    lesson = train(STUDY, RESULT, epochs=20)
    assert as_json(lesson)["limit_boundary"] is None
    assert "overlap" in explain(lesson)
    assert "ever" not in explain(lesson)


def test_points_that_meet_at_one_hour_head_there_and_have_no_gap():
    lesson = train([1, 2, 2, 3], [0, 0, 1, 1], epochs=200)
    assert as_json(lesson)["limit_boundary"] == 2
    text = explain(lesson)
    assert "quasi-separated: both outcomes meet only at 2 hours" in text
    assert "2 hours is where this descent is heading" in " ".join(text.split())
    assert "Every line" not in text
    assert "gap" not in text


@pytest.mark.parametrize(
    ("hours", "passed", "expected"),
    [
        ([1, 2, 3], [0, 0, 1], ("complete", 2, 3)),
        ([3, 2, 1], [0, 0, 1], ("complete", 1, 2)),
        ([1, 2, 2, 3], [0, 0, 1, 1], ("quasi", 2, 2)),
        ([1, 3, 2], [0, 0, 1], ("none", math.nan, math.nan)),
        ([2, 2], [0, 1], ("none", math.nan, math.nan)),
    ],
)
def test_separation_is_told_with_its_gap(hours, passed, expected):
    assert separation(hours, passed) == pytest.approx(expected, nan_ok=True)


def test_the_limit_is_the_middle_of_the_gap_only_where_both_sides_decide():
    assert limit_boundary(2, 3) == 2.5
    assert limit_boundary(-1, 5) == 1
    assert limit_boundary(-5, 1) == -1


@settings(max_examples=50, deadline=None)
@given(low=st.floats(-5, 5), width=st.floats(0.1, 5))
def test_the_limit_is_the_line_of_least_weight_and_bias(low, width):
    high = low + width
    limit = limit_boundary(low, high)

    def smallest(boundary):
        """w^2 + b^2 of the flattest line through this boundary with margin 1 on both sides."""
        weight = 1 / min(boundary - low, high - boundary)
        return weight**2 * (1 + boundary**2)

    assert low < limit < high
    assert all(smallest(limit) <= smallest(low + width * k / 40) * (1 + 1e-9) for k in range(1, 40))


def test_the_picture_has_the_curve_the_red_line_the_axes_and_the_grid():
    axes = draw(train(epochs=10)).axes[0]
    curve, line = axes.lines[:2]
    assert (len(curve.get_xdata()), curve.get_xdata()[0], curve.get_xdata()[-1]) == (200, 0, 10)
    assert (line.get_color(), list(line.get_ydata())) == ("red", [0.5, 0.5])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Hours", "Probability of Pass")
    assert all(grid.get_visible() for grid in axes.get_xgridlines())
    points = [tuple(point) for drawn in axes.lines[2:4] for point in drawn.get_xydata()]
    assert points == [(1, 0), (2, 0), (3, 1)]


@pytest.mark.parametrize(("name", "begins"), [("a.png", b"\x89PNG"), ("b.SVG", b"<?xml"), ("c.pdf", b"%PDF")])
def test_the_picture_is_written_whole_and_leaves_nothing_beside_it(tmp_path, name, begins):
    target = tmp_path / name
    target.write_text("old")
    draw(train(epochs=5), target)
    assert target.read_bytes().startswith(begins)
    assert list(tmp_path.iterdir()) == [target]


def test_a_picture_that_fails_half_way_leaves_the_old_one(tmp_path, monkeypatch):
    target = tmp_path / "lesson.png"
    target.write_text("old")

    def full(self, file, **_):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    with pytest.raises(OptionError, match="No space left"):
        draw(train(epochs=2), target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_picture_of_a_lesson_that_learned_no_numbers_can_still_be_drawn(tmp_path):
    draw(train(optimizer="adamw", learning_rate=1e30, epochs=50), tmp_path / "none.png")
    assert (tmp_path / "none.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("name", "said"), [("no/lesson.png", "no folder"), ("lesson", "End the name in"), ("folder.png", "is a folder")]
)
def test_a_path_that_cannot_hold_the_picture_is_found_before_anything_is_printed(tmp_path, capsys, name, said):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OptionError, match=said):
        run(plot=tmp_path / name)
    assert capsys.readouterr().out == ""


def test_a_window_without_a_screen_is_refused_with_advice(monkeypatch, capsys):
    monkeypatch.setattr("matplotlib.pyplot.get_backend", lambda: "agg")
    with pytest.raises(OptionError, match="--plot"):
        run(epochs=2, show=True)
    assert capsys.readouterr().out == ""


def test_a_window_asked_for_by_name_without_a_screen_is_refused_with_advice(monkeypatch):
    monkeypatch.setattr("matplotlib.pyplot.get_backend", lambda: "tkagg")

    def figure(**_):
        raise ImportError("Cannot load backend 'TkAgg' which requires the 'tk' interactive framework")

    monkeypatch.setattr("matplotlib.pyplot.figure", figure)
    with pytest.raises(OptionError, match="no screen"):
        draw(train(epochs=2), show=True)


def test_a_window_is_shown_where_there_is_a_screen(monkeypatch):
    shown = []
    monkeypatch.setattr("matplotlib.pyplot.get_backend", lambda: "tkagg")
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: shown.append(True))
    figure = draw(train(epochs=2), show=True)
    assert shown == [True]
    assert figure.axes
    pyplot.close(figure)


def test_run_prints_the_losses_the_words_and_where_the_picture_is(tmp_path, capsys):
    run(epochs=200, plot=tmp_path / "lesson.png")
    out = capsys.readouterr().out
    assert out.startswith("epoch 100  loss 2.0830\nepoch 200  loss 1.8898\n\nWhat the lesson reads off\n")
    assert out.endswith(f"The picture is in {tmp_path / 'lesson.png'}\n")


def test_lessons_in_two_threads_do_not_disturb_each_others_pictures(tmp_path):
    lesson = train(epochs=3)
    threads = [threading.Thread(target=draw, args=(lesson, tmp_path / "same.png")) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.name for path in tmp_path.iterdir()] == ["same.png"]
