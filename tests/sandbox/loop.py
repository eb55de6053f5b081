#!/usr/bin/env python3
"""The fault loop and the crash loop: every call of a playbook, struck in every way, judged each time.

usage: loop.py [--dosrun FILE] [--part 1/20] [--seed N] [--point 12:late]... [--step WORD] [--keep DIR] SCENARIO...

A scenario is a text file: `project FOLDER` (relative to it), then one playbook with its arguments a line, each after
`undoes` (it rolls back when it fails) or `stops` (it stops, and resume goes on). Each line starts from the state that
the one before left; a clean run of it says what is wanted and how many calls there are.

A second clean run changes nothing, or only ends with the same store if a line `back-and-forth` stands before the playbook.

A line `also KIND...` adds faults of state to those of the wire, for the steps after it. The tag that `foreign` sets may stay,
and all else is judged.

Faults, N:KIND and N+:KIND for each attempt N. Right is: 0 with the wanted store; 1 with the store as before; 77 with the
store as before; for one that stops also 3, and then `resume` without the fault ends 0 with the wanted store. Keys that
are refused and have no successors stop every playbook: then `rollback` ends 0 as well, with the store as before.
Crashes, N:POINT for each changing attempt N: 137; then `resume` ends 0 with the wanted store, and in a copy `rollback`
ends 0 with the store as before (where the playbook undoes). Every store is judged again 120 virtual seconds later.

--part takes a seeded fraction of the points; --point, --step and --keep repeat one and keep its folder.
The last line is "N passed, N failed"; a point is one test.
"""
import argparse
import collections
import concurrent.futures
import fractions
import json
import os
import pathlib
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

KINDS = (
    "connect tls reset-before reset-after timeout late throttle throttle-after 5xx-before 5xx-after "
    "expired forbidden conflict quota body twice"
).split()
STATES = "stale ghost stuck foreign unready".split()
THEIRS = "edited-by: somebody-else"  # what the fault `foreign` writes
POINTS = "before intent sent answered outcome".split()
LATER = "120s"
HANGS_S = 60  # of real time: virtual time never sleeps, so this is a loop without end
LONG_MS = 3600 * 1000  # of virtual time: no run of ours waits for so long
ENV = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": "/nonexistent", "LANG": "C.UTF-8", "DOSRUN_SANDBOX": "1"}

Answer = collections.namedtuple("Answer", "code summary text")
Step = collections.namedtuple("Step", "scenario project stops words start wanted before calls changing kinds")
Point = collections.namedtuple("Point", "step what crash")
Verdict = collections.namedtuple("Verdict", "point code struck problem")


class Wrong(Exception):
    """What a point did is not among the right endings."""


def dosrun(state, project, *words):
    """One command; its answer is the exit code, the last jsonl line, and all of its output for a report."""
    command = [options.dosrun, *words, "--output", "jsonl", "--state", str(state)]
    try:
        done = subprocess.run(
            command, cwd=project, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=HANGS_S, close_fds=False, check=False,
        )
    except subprocess.TimeoutExpired:
        raise Wrong(f"{words[0]} hangs") from None
    text = done.stdout.decode(errors="replace")
    summary = {}
    for line in reversed(text.splitlines()):
        if line.startswith('{"type":"summary"'):
            summary = json.loads(line)
            break
    return Answer(done.returncode, summary, text)


def show(state, project):
    """The store now, and again where time changes it: what was lost on the way may still arrive."""
    done = subprocess.run(
        [options.dosrun, "sandbox", "show", "--after", LATER, "--output", "plain", "--state", str(state)], cwd=project, env=ENV,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=False, check=False, timeout=HANGS_S,
    )
    if done.returncode:
        raise Wrong(f"sandbox show ended {done.returncode}: {done.stderr.decode(errors='replace').strip()[:300]}")
    return done.stdout.decode(errors="replace")


def difference(found, wanted):
    """The first lines that only one of both stores has, shortened."""
    found, wanted = found.splitlines(), wanted.splitlines()
    lines = [f"+ {line[:160]}" for line in found if line not in wanted] + [f"- {line[:160]}" for line in wanted if line not in found]
    return "; ".join(lines[:4])


def must_hold(state, step, wanted, name, foreign=False):
    found = show(state, step.project)
    if foreign:
        found = "".join(line for line in found.splitlines(True) if line.strip() != THEIRS)
    if found != wanted:
        raise Wrong(f"the store is not {name}: {difference(found, wanted)}")


def store_of(state, project):
    """What show prints, of a copy: it lets time pass."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        return show(shutil.copytree(state, f"{folder}/state"), project)


def says(answer):
    """What an answer says about its failure, in short."""
    error = answer.summary.get("error") or {}
    for line in answer.text.splitlines():
        if line.startswith('{"type":"error"'):
            error = json.loads(line)
    words = error.get("message") or (answer.text.strip().splitlines() or ["nothing"])[-1]
    left = [entry.get("text", "") for entry in error.get("context") or [] if entry.get("word") == "left"]
    return " | ".join([words, *left])[:400]


def finish(state, step, word, wanted, name):
    """resume or rollback, undisturbed: it ends 0 with that store."""
    answer = dosrun(state, step.project, word)
    if answer.code:
        raise Wrong(f"{word} ended {answer.code}: {says(answer)}")
    must_hold(state, step, wanted, f"{name} after {word}")


def try_fault(point, state):
    step = point.step
    answer = dosrun(state, step.project, *step.words, "--fault", point.what)
    struck, foreign = not answer.summary.get("never_struck"), point.what.endswith(":foreign")
    if answer.summary.get("ms", 0) > LONG_MS:
        raise Wrong(f"it took {answer.summary['ms'] / 1000:.0f} virtual s")
    if answer.code == 0:
        must_hold(state, step, step.wanted, "the wanted one (exit 0)", foreign)
    elif answer.code in (1, 77):
        must_hold(state, step, step.before, f"as before (exit {answer.code}: {says(answer)})", foreign)
    elif answer.code == 3 and (step.stops or point.what.endswith(":expired")):
        if not step.stops:
            shutil.copytree(state, f"{state}-back")
            finish(f"{state}-back", step, "rollback", step.before, "as before")
        finish(state, step, "resume", step.wanted, "the wanted one")
    else:
        raise Wrong(f"exit {answer.code}: {says(answer)}")
    return answer.code, struck


def try_crash(point, state):
    step = point.step
    answer = dosrun(state, step.project, *step.words, "--crash", point.what)
    if answer.code != 137:
        raise Wrong(f"exit {answer.code}, not 137: {says(answer)}")
    if not step.stops:
        shutil.copytree(state, f"{state}-back")
        finish(f"{state}-back", step, "rollback", step.before, "as before")
    finish(state, step, "resume", step.wanted, "the wanted one")
    return answer.code, True


def judge(point):
    """One point in a copy of its step's start state."""
    folder = options.keep or tempfile.mkdtemp(dir=work)
    state = f"{folder}/state"
    try:
        shutil.copytree(point.step.start, state)
        code, struck = (try_crash if point.crash else try_fault)(point, state)
        return Verdict(point, code, struck, None)
    except Wrong as wrong:
        return Verdict(point, None, True, str(wrong))
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def intents(state, start):
    """The changing attempts in the journal of the run that leads from `start` to `state`."""
    for path in pathlib.Path(state).rglob("runs/*.jsonl"):
        if not (pathlib.Path(start) / path.relative_to(state)).exists():
            for line in path.read_text(errors="replace").splitlines():
                event = json.loads(line)
                if event["type"] == "call.intent" and event.get("attempt"):
                    yield event


def changing_attempts(state, start):
    return sorted({event["attempt"] for event in intents(state, start)})


def keys_changed(state, start):
    return ", ".join(sorted({event["key"] for event in intents(state, start)}))


def prepare(path):
    """The scenario's steps, each run once, undisturbed, and once more: then there is nothing left to change."""
    steps, project, kinds, moves, wrong = [], None, KINDS, False, 0
    state = f"{work}/{path.stem}-0"
    os.mkdir(state, 0o700)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if words[0] == "project":
            project = (path.parent / words[1]).resolve()
            continue
        if words[0] == "also":
            kinds = KINDS + words[1:]
            continue
        if words == ["back-and-forth"]:
            moves = True
            continue
        if words[0] not in ("undoes", "stops") or project is None:
            sys.exit(f"{path}:{number}: not a line of a scenario")
        after = f"{work}/{path.stem}-{number}"
        shutil.copytree(state, after)
        clean = dosrun(after, project, *words[1:])
        if clean.code:
            sys.exit(f"{path}:{number}: without a fault {line!r} ended {clean.code}: {says(clean)}\n0 passed, 1 failed")
        steps.append(
            Step(path, project, words[0] == "stops", words[1:], state, store_of(after, project), store_of(state, project),
                 clean.summary["calls"], changing_attempts(after, state), kinds)
        )
        again = f"{after}-again"
        shutil.copytree(after, again)
        second = dosrun(again, project, *words[1:])
        if moves:
            if second.code or store_of(again, project) != store_of(after, project):
                print(f"WRONG {' '.join(words[1:])}: a second run ends elsewhere: exit {second.code}: {says(second)}")
                wrong += 1
            moves = False
        elif second.code or second.summary["changes"] or changing_attempts(again, after):
            print(f"WRONG {' '.join(words[1:])}: a second run changes something: exit {second.code}, changing {keys_changed(again, after)}")
            wrong += 1
        state = after
    return steps, wrong


def points_of(step):
    for attempt in range(1, step.calls + 1):
        for kind in step.kinds:
            yield Point(step, f"{attempt}:{kind}", False)
            yield Point(step, f"{attempt}+:{kind}", False)
    for attempt in step.changing:
        for name in POINTS:
            yield Point(step, f"{attempt}:{name}", True)


def row_of(verdict):
    """The line of the table that a verdict counts in: the kind, with + for N+; crashes by point."""
    number, word = verdict.point.what.split(":")
    return ("crash " if verdict.point.crash else "") + ("+" if number.endswith("+") else "") + word


def print_table(verdicts):
    columns = ["points", "0", "1", "3", "77", "137", "missed", "wrong"]
    rows = collections.defaultdict(collections.Counter)
    for verdict in verdicts:
        row = rows[row_of(verdict)]
        row["points"] += 1
        row["wrong" if verdict.problem else str(verdict.code)] += 1
        if not verdict.struck:
            row["missed"] += 1
    order = [kind for name in [*KINDS, *STATES] for kind in (name, f"+{name}")] + [f"crash {name}" for name in POINTS]
    print(f"  {'':22}" + "".join(f"{column:>8}" for column in columns))
    total = collections.Counter()
    for name in order:
        if name in rows:
            total.update(rows[name])
            print(f"  {name:22}" + "".join(f"{rows[name][column] or '.':>8}" for column in columns))
    print(f"  {'all':22}" + "".join(f"{total[column] or '.':>8}" for column in columns))


def repeat_of(point):
    words = [sys.argv[0], "--dosrun", options.dosrun, "--point", point.what, "--step", " ".join(point.step.words), "--keep", "DIR",
             str(point.step.scenario)]
    return shlex.join(words)


def report(verdicts, whole):
    wrong = [verdict for verdict in verdicts if verdict.problem]
    for verdict in wrong[: options.limit]:
        print(f"WRONG {' '.join(verdict.point.step.words)}  {verdict.point.what}\n      {verdict.problem}\n      {repeat_of(verdict.point)}")
    if len(wrong) > options.limit:
        print(f"... and {len(wrong) - options.limit} more")
    lasting = [verdict.code for verdict in verdicts if "+" in verdict.point.what and not verdict.problem]
    if whole and lasting and not (any(code == 0 for code in lasting) and any(lasting)):
        print("WRONG: of faults that stay, some must end 0 and some must not")
        return len(wrong) + 1
    return len(wrong)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dosrun", default="build/release/dosrun")
    parser.add_argument("--part", type=fractions.Fraction, default=fractions.Fraction(1))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--point", action="append")
    parser.add_argument("--step", default="")
    parser.add_argument("--keep")
    parser.add_argument("--limit", type=int, default=40, help="how many wrong points are printed")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("scenarios", nargs="+", type=pathlib.Path, metavar="SCENARIO")
    given = parser.parse_args()
    given.dosrun = os.path.abspath(given.dosrun)
    if given.keep:
        given.keep = os.path.abspath(given.keep)
        os.makedirs(given.keep)
        given.workers = 1
    return given


def main():
    verdicts, wrong = [], 0
    for path in options.scenarios:
        steps, repeated = prepare(path)
        wrong += repeated
        for step in steps:
            title = " ".join(step.words)
            if options.step not in title:
                continue
            points = list(points_of(step))
            if options.point:
                points = [point for point in points if point.what in options.point]
            elif options.part < 1:
                count = max(1, round(len(points) * options.part))
                points = random.Random(f"{options.seed} {title}").sample(points, count)
            began = time.monotonic()
            with concurrent.futures.ProcessPoolExecutor(options.workers) as pool:
                found = list(pool.map(judge, points, chunksize=8))
            took = time.monotonic() - began
            print(f"{title}: {step.calls} calls, {len(step.changing)} changing; {len(points)} points, seed {options.seed}, "
                  f"{len(points) / took:.0f} a second", flush=True)
            print_table(found)
            wrong += report(found, options.part == 1 and not options.point)
            verdicts += found
    print(f"{sum(not verdict.problem for verdict in verdicts)} passed, {wrong} failed")
    return wrong > 0


options = arguments()
memory = "/dev/shm"
work = tempfile.mkdtemp(prefix="dosrun-loop-", dir=memory if os.access(memory, os.W_OK) else None)
try:
    code = main()
finally:
    shutil.rmtree(work, ignore_errors=True)
sys.exit(code)
