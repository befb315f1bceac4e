"""The Go releases that scripts/fetch-go left on this machine."""
import os
import subprocess
from dataclasses import dataclass

from .paths import CACHE, REPO

ALL_MINORS = ["1.19", "1.20", "1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27"]


@dataclass(frozen=True)
class Release:
    minor: str  # "1.26"
    version: str  # "1.26.8"
    goroot: str

    @property
    def number(self):
        return int(self.minor.split(".")[1])

    @property
    def go(self):
        return os.path.join(self.goroot, "bin", "go")

    def __str__(self):
        return f"go{self.minor}"

    def environment(self):
        """The environment in which this very release builds, whatever the caller's says."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("CGO_", "GOROOT", "GOFLAGS", "GOARCH", "GOOS"))}
        env.update(GOTOOLCHAIN="local", GOFLAGS="-buildvcs=false", GO111MODULE="on", CGO_ENABLED="1", GOWORK="off")
        # 1.19 cannot read its own module index when its GOROOT lies in the module cache.
        env["GODEBUG"] = "goindex=0" if self.number < 20 else ""
        env["PATH"] = os.path.join(self.goroot, "bin") + os.pathsep + env["PATH"]
        return env


def parse(text):
    releases = []
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and words[0] in ALL_MINORS:
            releases.append(Release(*words))
    return releases


def found(releases_file=None):
    """What the file of scripts/test lists; without one, what has been fetched before."""
    if releases_file and os.path.exists(releases_file):
        with open(releases_file, encoding="utf-8") as f:
            return parse(f.read())
    releases = []
    for minor in ALL_MINORS:
        root = os.path.realpath(os.path.join(CACHE, "go", minor))
        if os.access(os.path.join(root, "bin", "go"), os.X_OK):
            with open(os.path.join(root, "VERSION"), encoding="utf-8") as f:
                releases.append(Release(minor, f.readline().strip().removeprefix("go"), root))
    if not releases:
        subprocess.run([os.path.join(REPO, "scripts", "fetch-go")], check=False)
    return releases
