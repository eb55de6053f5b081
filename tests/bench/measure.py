"""What the parts of tests/bench share: where they work, and how a figure is taken and printed."""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("DOSRUN_TEST_CACHE") or
                     os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")) + "/dosrun-tests")


class Here:
    """The binary, a folder for projects, a folder for journals, the environment of what is measured."""

    def __init__(self, description):
        parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--dosrun", default=str(ROOT / "build/release/dosrun"))
        parser.add_argument("--state")
        parser.add_argument("--no-cluster", action="store_true")
        parser.add_argument("--no-peers", action="store_true")
        parser.add_argument("part", nargs="*")
        given = parser.parse_args()
        self.dosrun, self.parts = os.path.abspath(given.dosrun), given.part
        self.no_cluster, self.no_peers = given.no_cluster, given.no_peers
        (ROOT / "build").mkdir(exist_ok=True)
        self.work = tempfile.mkdtemp(prefix="bench-", dir=ROOT / "build")
        self.state = os.path.abspath(given.state or f"{self.work}/state")
        os.makedirs(self.state, mode=0o700, exist_ok=True)
        self.env = {"PATH": os.environ["PATH"], "HOME": f"{self.work}/home", "LANG": "C.UTF-8",
                    "DOSRUN_STATE": f"{self.state}/runs"}

    def end(self):
        shutil.rmtree(self.work, ignore_errors=True)


here = None


def begin(description):
    global here
    here = Here(description)
    return here


def timed(command, times, **options):
    """Median milliseconds of a command, from start to exit."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, **options)
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def summary_of(command, **options):
    """A dosrun's summary, its milliseconds and its greatest resident KiB. With check: it must end 0."""
    began = time.perf_counter()
    process = subprocess.Popen([*command, "--output", "jsonl"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = (time.perf_counter() - began) * 1000
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended {process.returncode}:\n{text.decode()[-2000:]}")
    return json.loads(text.splitlines()[-1]), took, usage.ru_maxrss


def sync_ms(folder):
    """What one fdatasync after a short append costs there: the median of 200."""
    took = []
    with open(f"{folder}/sync", "wb", buffering=0) as file:
        for _ in range(200):
            file.write(b"x" * 300)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def row(what, ours, goal, peer=""):
    print(f"{what:52} {ours:>34}   {goal:>26}   {peer}", flush=True)


def project(files):
    folder = tempfile.mkdtemp(dir=here.work)
    for name, text in files.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def playbook(name, body, options=""):
    return f"""local dosrun = require "dosrun.v1"
local playbook = dosrun.playbook {{ "{name}", {options} }}
{body}
return playbook
"""
