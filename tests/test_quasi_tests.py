"""Tests under an estimated dispersion take Student's t and F, as the table does; clusters have no likelihood."""

import numpy as np
import pytest
from scipy import stats

import passline
from passline.errors import OptionError


@pytest.fixture(scope="module")
def quasi() -> passline.Fit:
    data = passline.datasets.path("budworm")
    return passline.fit("numdead ~ log(dose) + sex", data, trials="total", dispersion="estimated")


def test_a_contrast_has_the_p_value_of_its_own_interval(quasi: passline.Fit) -> None:
    found = quasi.contrast({"log(dose)": 1.0})
    df = quasi.glance()["df_residual"]
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(found.statistic), df), rel=1e-9)
    place = quasi.model.terms.names.index("log(dose)")
    assert found.p_value == pytest.approx(quasi.model.terms.p_value[place], rel=1e-9)


def test_a_joint_hypothesis_and_drop1_take_f(quasi: passline.Fit) -> None:
    df = quasi.glance()["df_residual"]
    found = quasi.joint(["log(dose)", "sexM"])
    assert found.wald_p == pytest.approx(stats.f.sf(found.wald / 2, 2, df), rel=1e-9)
    dropped = quasi.drop1(test="wald")
    np.testing.assert_allclose(dropped["p_value"], stats.f.sf(dropped["statistic"], 1, df), rtol=1e-9)


def test_likelihood_tests_of_clustered_rows_are_refused() -> None:
    rng = np.random.default_rng(3)
    data = {"x": rng.normal(size=160), "id": np.repeat(np.arange(40), 4), "y": rng.integers(0, 2, 160)}
    fit = passline.fit("y ~ x", data, cluster="id")
    for ask in (fit.drop1, fit.tests, fit.profile):
        with pytest.raises(OptionError, match="cluster"):
            ask()
    found = fit.joint(["x"])
    assert np.isnan(found.lr)
    assert 0 < found.wald_p < 1
