"""Words for titles, axes, legends and categories."""

from __future__ import annotations

import numpy as np

QUANTITIES = (
    "Revenue|Temperature|Accuracy|Loss|Throughput|Latency|Population|Rainfall|Yield|Concentration|Pressure|Voltage|"
    "Frequency|Speed|Price|Demand|Error rate|Memory|Energy|Mass|Height|Growth|Response|Density|Intensity|Emissions|"
    "Cost|Score|Votes|Sales|Runtime|Power|Absorbance|Expression|Count|Share|Income|Age|Weight|Distance"
).split("|")
UNITS = "%|ms|s|kg|m|K|MPa|mV|Hz|GB|USD|EUR|µm|nm|dB|a.u.|per capita|millions|thousands|mg/L|kWh|km/h".split("|")
ABSCISSAE = (
    "Time|Year|Epoch|Iteration|Distance|Dose|Frequency|Wavelength|Depth|Month|Week|Step|Batch size|Temperature|"
    "Number of nodes|Position|Angle|x|t|n|Concentration|Age|Rank|Quantile|Energy|Group|Region|Method|Category"
).split("|")
SUBJECTS = (
    "Method|Model|Baseline|Control|Treatment|Ours|Region|Sample|Group|Series|Site|Product|Team|Cohort|Sensor|Class"
).split("|")
CATEGORIES = [
    group.split("|")
    for group in (
        "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec",
        "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
        "Q1|Q2|Q3|Q4|Q5|Q6|Q7|Q8|Q9|Q10|Q11|Q12",
        "North|South|East|West|Centre|Coast|Islands|Highlands|Lowlands|Valley|Delta|Plain",
        "Germany|France|Spain|Italy|Poland|Japan|Brazil|India|Kenya|Canada|Mexico|Norway",
        "Apples|Pears|Plums|Cherries|Grapes|Melons|Figs|Dates|Oranges|Lemons|Kiwis|Mangoes",
        "ResNet|ViT|MLP|LSTM|GRU|SVM|kNN|Forest|Boosting|Logistic|Bayes|Linear",
        "setosa|versicolor|virginica|alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota",
        "gcc|perl|bzip2|mcf|gobmk|hmmer|sjeng|astar|milc|lbm|sphinx|povray",
        "Housing|Food|Transport|Health|Education|Leisure|Clothing|Savings|Energy|Travel|Insurance|Other",
        "Very low|Low|Rather low|Medium|Rather high|High|Very high|Extreme|Unknown|None|Mixed|Other",
        "0-9|10-19|20-29|30-39|40-49|50-59|60-69|70-79|80-89|90-99|100+|n/a",
    )
]
TEMPLATES = (
    "{q} by {a}", "{q} over {a}", "{q} of {s} {n}", "Distribution of {q}", "{q} vs. {a}", "{q} and {r}",
    "Figure {n}: {q}", "({l}) {q}", "{q}, {y}", "Comparison of {q} by {s}", "Effect of {a} on {q}", "{s} {n}",
    "{q}", "Change in {q} since {y}", "Summary of {q} per {s}",
)  # fmt: skip


def pick(rng: np.random.Generator, options):
    """One of the options, as the plain object it is."""
    return options[int(rng.integers(len(options)))]


def title(rng: np.random.Generator) -> str:
    """A short title."""
    text = pick(rng, TEMPLATES).format(
        q=pick(rng, QUANTITIES), r=pick(rng, QUANTITIES).lower(), a=pick(rng, ABSCISSAE).lower(),
        s=pick(rng, SUBJECTS), n=int(rng.integers(1, 12)), l=pick(rng, "abcdef"), y=int(rng.integers(1970, 2025)),
    )  # fmt: skip
    return text.upper() if rng.random() < 0.04 else text


def quantity(rng: np.random.Generator) -> str:
    """A label for an axis of values, with a unit half of the time."""
    name = pick(rng, QUANTITIES)
    if rng.random() < 0.5:
        return name
    return f"{name} ({pick(rng, UNITS)})" if rng.random() < 0.7 else f"{name} [{pick(rng, UNITS)}]"


def abscissa(rng: np.random.Generator) -> str:
    """A label for the other axis."""
    return pick(rng, ABSCISSAE)


def categories(rng: np.random.Generator, count: int) -> list[str]:
    """Distinct names: a known list, years, letters or numbered subjects."""
    kind = rng.random()
    if kind < 0.6 and count <= 12:
        names = list(pick(rng, [group for group in CATEGORIES if len(group) >= count]))
        if rng.random() < 0.3:
            rng.shuffle(names)
        return [str(name) for name in names[:count]]
    if kind < 0.75:
        first = int(rng.integers(1960, 2020))
        return [str(first + i) for i in range(count)]
    if kind < 0.88 and count <= 26:
        return [chr(ord("A") + i) for i in range(count)]
    subject = pick(rng, SUBJECTS) + " " if rng.random() < 0.5 else pick(rng, ("", "S", "#", "T", "G"))
    return [f"{subject}{i + 1}" for i in range(count)]
