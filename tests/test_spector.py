"""Spector and Mazzeo's students, a textbook's logit: the rows come with statsmodels, which alone may carry them."""

import numpy as np
import pytest
from statsmodels.datasets import spector

import passline

# Greene, Econometric Analysis (5th ed., 2003), table 21.1: the logit of GRADE on GPA, TUCE and PSI.
COEF = {"(Intercept)": -13.021, "GPA": 2.826, "TUCE": 0.095, "PSI": 2.379}
# statsmodels' documentation, "Discrete Choice Models": standard errors and the log-likelihood of the same model.
STD_ERROR = [4.931, 1.263, 0.142, 1.065]


@pytest.fixture(scope="module")
def fit() -> passline.Fit:
    return passline.fit("GRADE ~ GPA + TUCE + PSI", spector.load_pandas().data)


def test_the_estimates_are_those_of_the_textbook(fit: passline.Fit) -> None:
    assert fit.coef == pytest.approx(COEF, abs=5e-4)
    np.testing.assert_allclose(fit.model.terms.std_error, STD_ERROR, atol=5e-4)
    assert fit.glance()["log_likelihood"] == pytest.approx(-12.890, abs=5e-4)


def test_the_marginal_effect_of_psi_is_a_risk_difference_as_the_book_reports_it(fit: passline.Fit) -> None:
    effects = fit.marginal_effects()
    psi = effects[effects["variable"] == "PSI"]
    # Average of mu (1 - mu) times the coefficient, by its definition.
    mu = fit.predict(spector.load_pandas().data)
    assert float(psi["estimate"].iloc[0]) == pytest.approx(float(np.mean(mu * (1 - mu))) * fit.coef["PSI"], rel=1e-9)
