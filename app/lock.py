"""`python -m app.lock`: resolves the direct dependencies of pyproject.toml and writes every exact version they lead to."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator

from app.bootstrap import LOCK, ROOT

HEADER = "# Every package of the environment with its exact version; written by `make lock` from pyproject.toml.\n"


def main() -> int:
    """Leaves the file alone and returns pip's exit code if there is no solution."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    report = subprocess.run(
        [*pip, "--dry-run", "--ignore-installed", "--report", "-", *wanted], check=False, stdout=subprocess.PIPE
    )
    if report.returncode == 0:
        (ROOT / LOCK).write_text(HEADER + "".join(f"{line}\n" for line in pinned(json.loads(report.stdout))))
    return report.returncode


def pinned(report: dict[str, list[dict[str, dict[str, str]]]]) -> Iterator[str]:
    """`name==version` of each package in pip's installation report, sorted."""
    packages = ((item["metadata"]["name"].lower(), item["metadata"]["version"]) for item in report["install"])
    return (f"{name}=={version}" for name, version in sorted(packages))


if __name__ == "__main__":
    sys.exit(main())
