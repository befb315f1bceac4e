"""The releases of CPython with which a Go program can be built here: the machine's own, and what scripts/fetch-python left."""
import os
import subprocess
import sysconfig
from dataclasses import dataclass

from . import builds
from .paths import CACHE

MINORS = ["3.9", "3.10", "3.11", "3.12", "3.13"]
MULTIARCH = "x86_64-linux-gnu"


@dataclass(frozen=True)
class Python:
    minor: str  # "3.11"
    home: str  # PYTHONHOME
    libraries: str
    headers: tuple

    def __str__(self):
        return f"python{self.minor}"

    @property
    def number(self):
        return int(self.minor.split(".")[1])

    def build(self, release):
        """The fixture with this CPython in it."""
        env = {"CGO_CFLAGS": " ".join(["-g -O2 -Wno-deprecated-declarations", *(f"-I{folder}" for folder in self.headers)]),
               "CGO_LDFLAGS": f"-L{self.libraries} -lpython{self.minor} -Wl,-rpath,{self.libraries}"}
        return builds.go_build(release, f"py{self.minor}", "python_embed", "python_embed", (), env_extra=env)

    def environment(self):
        return {"PYTHONHOME": self.home, "PYTHONDONTWRITEBYTECODE": "1"}

    def output(self, program, *words):
        done = subprocess.run([program, *words], env={**os.environ, **self.environment()}, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, check=True)
        return done.stdout


def found():
    """By minor release."""
    out = {}
    for minor in MINORS:
        root = os.path.join(CACHE, "python", minor)
        if minor == "3.9":
            headers = (os.path.join(root, "usr/include/python3.9"), os.path.join(root, "usr/include"))
            one = Python(minor, os.path.join(root, "usr"), os.path.join(root, "usr/lib", MULTIARCH), headers)
        else:
            one = Python(minor, root, root, (os.path.join(root, f"include/python{minor}"),))
        if minor == sysconfig.get_python_version():
            one = Python(minor, "/usr", f"/usr/lib/{MULTIARCH}", (f"/usr/include/python{minor}",))
        if os.path.exists(os.path.join(one.headers[0], "Python.h")):
            out[minor] = one
    return out
