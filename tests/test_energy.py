import sys
import types

import pytest
from sklearn.datasets import load_iris

import sknn
from sknn import energy

X, Y = load_iris(return_X_y=True)


def make_counters(root, packages):
    """Make a folder as Linux has it: packages with a counter each, and a part of one of them."""
    for name, (now, most) in packages.items():
        folder = root / name
        folder.mkdir(parents=True)
        (folder / "energy_uj").write_text(f"{now}\n")
        (folder / "max_energy_range_uj").write_text(f"{most}\n")
    return root


def set_counter(root, name, now):
    (root / name / "energy_uj").write_text(f"{now}\n")


def fit(**parameters):
    with pytest.warns(UserWarning, match="hasn't converged"):
        return sknn.MLPClassifier((5,), max_iter=2, random_state=0, **parameters).fit(X, Y)


@pytest.fixture
def two_packages(tmp_path):
    packages = {
        "intel-rapl:0": (1_000_000, 9_999_999),
        "intel-rapl:1": (9_000_000, 9_999_999),
        "intel-rapl:0:0": (5, 10),  # a part of the first: it is in there already
        "other": (7, 10),
    }
    return make_counters(tmp_path, packages)


def test_counters_of_all_packages_are_added_up(two_packages):
    meter = energy.Counters(two_packages)
    begin = meter.begin()
    set_counter(two_packages, "intel-rapl:0", 3_500_000)
    set_counter(two_packages, "intel-rapl:0:0", 9)

    assert meter.is_there
    assert meter.end(begin, cpu_seconds=100.0) == pytest.approx(2.5)


def test_a_counter_may_begin_again_at_nothing(two_packages):
    meter = energy.Counters(two_packages)
    begin = meter.begin()
    set_counter(two_packages, "intel-rapl:1", 500_000)

    assert meter.end(begin, cpu_seconds=0.0) == pytest.approx(1.5)


def test_a_machine_without_counters_has_none(tmp_path):
    assert not energy.Counters(tmp_path / "nowhere").is_there


def test_an_estimate_is_power_times_time():
    meter = energy.Estimate(8.0)

    assert meter.end(meter.begin(), cpu_seconds=1.5) == 12.0
    assert meter.source == "estimated: 8 W for each busy core"


def test_counters_that_can_be_read_are_the_first_choice(two_packages, monkeypatch):
    monkeypatch.setattr(energy, "POWERCAP", two_packages)
    monkeypatch.setattr(energy.Counters.__init__, "__defaults__", (two_packages,))
    monkeypatch.setattr(energy, "_DEFAULT", [])

    assert "whole processor package" in fit().training_report_.energy_source
    with sknn.metering("counters"):
        assert fit().training_report_.energy_joules == 0  # nothing counts there


def test_where_no_counter_can_be_read_it_is_estimated(tmp_path, monkeypatch):
    monkeypatch.setattr(energy.Counters.__init__, "__defaults__", (tmp_path,))
    monkeypatch.setattr(energy, "_DEFAULT", [])
    report = fit().training_report_

    assert report.energy_source == "estimated: 12 W for each busy core"
    assert report.energy_joules == pytest.approx(12 * report.cpu_seconds)
    with pytest.raises(OSError, match="cannot be read"), sknn.metering("counters"):
        pass


def test_counters_that_only_root_may_read_are_left_alone(two_packages, monkeypatch):
    monkeypatch.setattr(energy.Counters.__init__, "__defaults__", (two_packages,))

    def refuse(self):
        raise PermissionError("Permission denied")

    monkeypatch.setattr(energy.Counters, "begin", refuse)
    with sknn.metering():
        assert fit().training_report_.energy_source.startswith("estimated")
    with pytest.raises(OSError, match="Permission denied"), sknn.metering("counters"):
        pass


def test_the_power_of_a_core_can_be_set_for_a_block():
    with sknn.metering("estimate", watts_per_core=3):
        report = fit().training_report_
    after = fit().training_report_

    assert report.energy_joules == pytest.approx(3 * report.cpu_seconds)
    assert after.energy_source == energy.current_meter().source


def test_codecarbon_is_asked_for_each_training(monkeypatch):
    tasks = []

    class Tracker:
        def __init__(self, **options):
            self.options = options

        def start_task(self):
            tasks.append("start")

        def stop_task(self):
            tasks.append("stop")
            return types.SimpleNamespace(energy_consumed=1e-6)

    module = types.ModuleType("codecarbon")
    module.OfflineEmissionsTracker = Tracker
    monkeypatch.setitem(sys.modules, "codecarbon", module)
    with sknn.metering("codecarbon", country_iso_code="DEU"):
        options = energy.current_meter()._tracker.options
        report = fit().training_report_

    assert options == {
        "save_to_file": False, "log_level": "error", "country_iso_code": "DEU"
    }  # fmt: skip
    assert tasks == ["start", "stop"] * (len(tasks) // 2)
    assert report.energy_joules == pytest.approx(3.6 * tasks.count("stop"), rel=0.5)
    assert "codecarbon" in report.energy_source


def test_what_a_tracker_cannot_follow_is_estimated(monkeypatch):
    module = types.ModuleType("codecarbon")
    module.OfflineEmissionsTracker = lambda **options: types.SimpleNamespace(
        start_task=lambda: None,
        stop_task=lambda: types.SimpleNamespace(energy_consumed=1.0),
    )
    monkeypatch.setitem(sys.modules, "codecarbon", module)
    meter = energy.Codecarbon(energy.Estimate(5.0))
    outer, inner = meter.begin(), meter.begin()

    assert meter.end(inner, cpu_seconds=2.0) == 10.0
    assert meter.end(outer, cpu_seconds=2.0) == 3.6e6


def test_a_tracker_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "codecarbon", None)
    with pytest.raises(ImportError, match="pip install codecarbon"), sknn.metering("codecarbon"):
        pass


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("meter",), {}, "source must be one of 'auto', 'counters', 'estimate', 'codecarbon'"),
        ((), {"watts_per_core": 0}, "watts_per_core must be"),
        ((), {"watts_per_core": True}, "watts_per_core must be"),
        ((), {"watts_per_core": float("inf")}, "watts_per_core must be"),
        ((), {"country_iso_code": "DEU"}, "country_iso_code is an option of codecarbon"),
    ],
)
def test_what_cannot_be_metered_by_is_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message), sknn.metering(*arguments, **options):
        pass


def test_counters_of_more_than_a_package_or_of_the_same_one_count_once(tmp_path):
    root = make_counters(
        tmp_path,
        {
            "intel-rapl:0": (1_000_000, 9_999_999),
            "intel-rapl:1": (5_000_000, 9_999_999),
            "intel-rapl:2": (5_000_000, 9_999_999),  # the same as the one before
            "intel-rapl:3": (2_000_000, 9_999_999),
        },
    )
    for number, name in enumerate(("package-0", "package-1-die-0", "package-1-die-1", "psys")):
        (root / f"intel-rapl:{number}" / "name").write_text(f"{name}\n")
    meter = energy.Counters(root)
    begin = meter.begin()
    for number, now in enumerate((2_000_000, 6_000_000, 6_000_000, 9_000_000)):
        set_counter(root, f"intel-rapl:{number}", now)

    assert meter.end(begin, cpu_seconds=0.0) == pytest.approx(2.0)


class Failing(energy.Estimate):
    """A meter that stops to work."""

    def __init__(self, n_good):
        super().__init__(1.0)
        self.n_good = n_good

    def begin(self):
        self.n_good -= 1
        if self.n_good < 0:
            raise FileNotFoundError("it has gone")

    def end(self, begin, cpu_seconds):
        self.begin()
        return 1.0


@pytest.mark.parametrize("n_good", [0, 1, 2, 3])
def test_a_meter_that_fails_costs_no_training(n_good, monkeypatch):
    monkeypatch.setattr(energy, "_DEFAULT", [Failing(n_good)])
    with pytest.warns(UserWarning, match=r"Energy cannot be measured .*it has gone.*metering"):
        report = fit().training_report_

    assert report.energy_joules > 0
    assert "estimated" in report.energy_source
