"""Write the README's picture of the 20 students from the shipped table: python docs/pictures/make_readme.py."""

from pathlib import Path

import passline
from passline.show.plots import write

HERE = Path(__file__).parent


def main() -> None:
    fit = passline.fit("passed ~ hours", passline.datasets.path("students"))
    write(fit.plot.curve("hours"), HERE / "students-curve.png")


if __name__ == "__main__":
    main()
