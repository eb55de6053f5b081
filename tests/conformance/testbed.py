"""What the flow tests share: a control plane, copies of projects, the binary, and how they count.

A test file says `with Testbed() as bed:`; that is the testbed of $DOSRUN_TESTBED, or one of its own, which ends with
it. The binary is $DOSRUN, else build/release/dosrun. Each check prints "ok name" or "FAIL name" with what was seen.
"""
import difflib
import glob
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

from registry import Registry

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DOSRUN = os.path.abspath(os.environ.get("DOSRUN", ROOT / "build/release/dosrun"))
SECONDS = 120       # no command of a test takes longer


class Checks:
    passed = failed = 0

    def ok(self, name, condition, *seen):
        """Counts it; what was seen is printed when it failed."""
        if condition:
            self.passed += 1
            print("ok   " + name, flush=True)
        else:
            self.failed += 1
            print("FAIL " + name, flush=True)
            for one in seen:
                text = one if isinstance(one, str) else repr(one)
                for line in text.splitlines()[-40:]:
                    print("     | " + line[:400], flush=True)
        return bool(condition)

    def same(self, name, before, after):
        """Two canons as text."""
        return self.ok(name, before == after, self.difference(before, after))

    @staticmethod
    def difference(before, after):
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", "", "", 4)
        return "\n".join(list(lines)[:40])

    def run(self, what, *args):
        """Calls it; an exception is one failed test."""
        try:
            what(*args)
        except Exception:
            self.ok(what.__name__ + " goes to its end", False, traceback.format_exc())

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(self.failed > 0)


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        self.text = out + err

    def __repr__(self):
        return f"exit {self.code}\n{self.out}\n{self.err}"


class Project:
    """A copy of a project in a folder of its own, with its state folder and environment."""

    def __init__(self, work, source, name="project", state="state", env=None):
        self.root, self.state = work / name, work / state
        if not self.root.exists():
            shutil.copytree(source, self.root, symlinks=True)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(work / "home"), "LANG": "C.UTF-8", "TERM": "dumb",
                    "USER": "tester", "DOSRUN_STATE": str(self.state), **(env or {})}

    def start(self, *words, env=None, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen([DOSRUN, *map(str, words)], cwd=self.root, env={**self.env, **(env or {})}, **options)

    def run(self, *words, env=None, timeout=SECONDS, stuck=None):
        process = self.start(*words, env=env)
        return self.finish(process, timeout, stuck)

    @staticmethod
    def finish(process, timeout=SECONDS, stuck=None):
        """Its end; stuck is asked what there is to see when it does not end, while that can still be seen."""
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            if stuck:
                stuck(process)
            process.kill()
            out, err = process.communicate()
            err += f"\nKILLED BY THE TEST after {timeout} s".encode()
        return Result(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))

    def journals(self):
        """Oldest first."""
        found = glob.glob(f"{self.state}/targets/*/runs/*.jsonl") + glob.glob(f"{self.state}/sandbox/*/runs/*.jsonl")
        return sorted(found, key=lambda path: int(os.path.basename(path)[1:].partition("-")[0]))

    def forget(self):
        shutil.rmtree(self.state, ignore_errors=True)


def records(path):
    """The journal's whole lines; a torn tail, and the space reserved ahead, are left out."""
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")[:-1]
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found


class Testbed:
    def __init__(self, *api_flags):
        """api_flags: of its kube-apiserver, which is then an own one."""
        self.api_flags = api_flags
        self.given = None if api_flags else os.environ.get("DOSRUN_TESTBED")
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="flows-"))
        self.state = pathlib.Path(self.given or self.work / "testbed")
        self.registry = None
        (self.work / "home").mkdir()

    def __enter__(self):
        try:
            if not self.given:
                subprocess.run([HERE / "up", self.state, *self.api_flags], check=True, stdout=subprocess.DEVNULL)
            self.kubeconfig = str(self.state / "kubeconfig")
            for line in (self.state / "env").read_text().splitlines():
                if line.startswith("GATEWAY="):
                    self.gateway = line.partition("=")[2]
                elif "PATH=" in line:
                    self.bin = line.partition("PATH=")[2].partition(":")[0]
            self.kubectl("delete", "lease", "-n", "kube-system", "dosrun", "--ignore-not-found")
            self.remember()
        except BaseException:
            self.__exit__()
            raise
        return self

    def remember(self):
        """From here on this is how it was before."""
        self.before = self.canon(known=False)
        (self.work / "before").write_text(self.before)

    def __exit__(self, *failure):
        if not self.given and (self.state / "pid").exists():
            subprocess.run([HERE / "down", self.state], check=False)
        elif self.given and (self.work / "before").exists():
            self.reset()
        shutil.rmtree(self.work, ignore_errors=True)

    def project(self, name="project", source=None, state="state", env=None):
        return Project(self.work, source or HERE / "project", name, state, {"KUBECONFIG": self.kubeconfig, **(env or {})})

    def games(self, name="games", state="state"):
        """A copy of the project's own four playbooks."""
        source = self.work / "games-source"
        if not source.exists():
            for folder in ("playbooks", "manifests", "lib", "docker"):
                if (ROOT / folder).exists():
                    shutil.copytree(ROOT / folder, source / folder, symlinks=True)
        return self.project(name, source, state)

    def games_words(self, playbook, *words):
        """The command line of one of them, with the registry stand-in."""
        if not self.registry:
            self.registry = Registry()
        return [f"playbooks/{playbook}.lua", *words, "--set", f"images={self.registry.address}/dos-games"]

    def script(self, name, *words):
        done = subprocess.run([HERE / name, *map(str, words)], check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise RuntimeError(f"{name} {words}: {done.stdout}")
        return done.stdout

    def canon(self, known=True):
        options = ["--known", self.work / "before"] if known else []
        return self.script("canon", "--kubeconfig", self.kubeconfig, *options)

    def settled(self, wanted, patience=10):
        """The canon, looked at until it is the wanted one: what the cluster's own controllers clear away."""
        end = time.monotonic() + patience
        while True:
            found = self.canon()
            if found == wanted or time.monotonic() > end:
                return found
            time.sleep(0.3)

    def reset(self):
        """Takes away what came since."""
        self.script("reset", "--known", self.work / "before", "--kubeconfig", self.kubeconfig)

    def mark(self):
        return self.script("audit", self.state, "mark").strip()

    def changes(self, mark, *options):
        """The changing requests of user admin since the mark."""
        return self.script("audit", self.state, mark, *options).splitlines()

    def part(self, word, name):
        self.script("part", self.state, word, name)

    def kubectl(self, *words, text=None, check=True):
        done = subprocess.run([f"{self.bin}/kubectl", "--kubeconfig", self.kubeconfig, *words], input=text, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if check and done.returncode:
            raise RuntimeError(f"kubectl {words}: {done.stdout}")
        return done.stdout

    def lease(self):
        text = self.kubectl("get", "lease", "-n", "kube-system", "dosrun", "-o", "json", "--ignore-not-found")
        return json.loads(text) if text.strip() else None


def until(condition, seconds=30):
    """Whether the condition came true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
