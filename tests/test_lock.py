"""The lock that tests and demo install from: exact, whole, and within the package's own bounds."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINES = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
PINS = [Requirement(line.partition("#")[0]) for line in LINES if line.partition("#")[0].strip()]
PYTHONS = ("3.11", "3.12", "3.13")


def versions(python: str) -> dict[str, Version]:
    """The version of each distribution that the lock names for Linux and one Python."""
    target = {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
    }
    return {
        canonicalize_name(pin.name): Version(next(iter(pin.specifier)).version)
        for pin in PINS
        if pin.marker is None or pin.marker.evaluate(target)
    }


def asked(extra: str) -> Iterator[Requirement]:
    """What an extra asks for, extras of our own followed."""
    for line in PROJECT["project"]["optional-dependencies"][extra]:
        requirement = Requirement(line)
        if requirement.name != "deixis":
            yield requirement
        for inner in requirement.extras if requirement.name == "deixis" else ():
            yield from asked(inner)


def test_every_line_is_one_exact_version() -> None:
    assert len(PINS) > 150
    for pin in PINS:
        (only,) = pin.specifier
        assert only.operator == "==" and "*" not in only.version, pin
        assert not pin.extras, f"{pin}: pip takes no extras in a constraint"


@pytest.mark.parametrize("python", PYTHONS)
def test_all_that_is_installed_is_locked_within_its_bounds(python: str) -> None:
    locked = versions(python)
    requirements = [
        *map(Requirement, PROJECT["project"]["dependencies"]),
        *map(Requirement, PROJECT["dependency-groups"]["lock"]),
        *map(Requirement, PROJECT["build-system"]["requires"]),
        *asked("starter"),
        *asked("test"),
        *asked("train"),
    ]
    for requirement in requirements:
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not locked; run make lock"
        assert version in requirement.specifier, f"{requirement}: {version}; run make lock"


def test_the_package_itself_has_open_bounds() -> None:
    project = PROJECT["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    requirements = [Requirement(line) for lines in lists for line in lines]
    exact = [str(each) for each in requirements if "==" in str(each.specifier)]
    assert exact == []
    unbounded = [each.name for each in requirements if not each.specifier and not each.extras]
    assert unbounded == ["types-pyyaml"]
