#!/usr/bin/env python3
"""resume_points.py DOSRUN FOLDER COUNT: kills a run with SIGKILL at COUNT points and takes it up again.

A point is an event of the run's stream, or a changing request of its loopback server, before or after the server
acted. Each is tried with resume (the end must be what the playbook wants) and with rollback (what was there before);
of both a second kill hits every third. Prints what went wrong, and last how many points were judged."""
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading

PLAYBOOK = """
local dosrun = require "dosrun.v1"
local base = "http://127.0.0.1:%d/"
local p = dosrun.playbook { "points", on_failure = "stop" }
local function get(key)
  local answer = dosrun.try(dosrun.http.get, base .. key)
  return answer and answer.body or nil
end
local setting = dosrun.verb { "setting", bound = "150ms",
  key = function(i) return "setting " .. i.key end, look = function(i) return get(i.key) end,
  want = function(i) return i.text end,
  act = function(i) dosrun.http.put(base .. i.key, { body = i.text }) end,
  undo = function(i, before)
    if before then dosrun.http.put(base .. i.key, { body = before }) else dosrun.http.delete(base .. i.key) end
  end }
p:step("first", function() dosrun.file.write("out/one", "one") setting { key = "made", text = "1" } return { text = "two" } end)
p:step("side", { needs = {} }, function() dosrun.file.write("out/side", "side") setting { key = "found", text = "new" } end)
p:step("second", function(run, from)
  dosrun.file.write("out/one", from.first.text)
  setting { key = "made", text = "2" }
  dosrun.file.remove("out/old")
end)
return p
"""
BEFORE = ({"found": "old"}, {"old": "was here"})
AFTER = ({"found": "new", "made": "2"}, {"one": "two", "side": "side"})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.store, self.guard = dict(BEFORE[0]), threading.Lock()
        self.changes, self.kill_at, self.victim = 0, None, None
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that was killed

    def strike(self, when):
        if self.kill_at == (self.changes, when) and self.victim:
            os.kill(self.victim, signal.SIGKILL)
            self.kill_at = None
            return True
        return False


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        text = self.server.store.get(self.path[1:])
        self.answer(404 if text is None else 200, (text or "").encode())

    def change(self, text):
        server = self.server
        with server.guard:
            server.changes += 1
            if server.strike("before"):
                return
            there = self.path[1:] in server.store
            if text is None:
                server.store.pop(self.path[1:], None)
            else:
                server.store[self.path[1:]] = text
            if server.strike("after"):
                return
        try:
            self.answer(200 if there or text is not None else 404)
        except OSError:
            pass

    def do_PUT(self):
        self.change(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

    def do_DELETE(self):
        self.change(None)


class Place:
    """A project, its state and its server."""

    def __init__(self, dosrun, folder):
        self.dosrun, self.folder, self.server = dosrun, folder, Server()
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder + "/playbooks")
        os.makedirs(folder + "/out")
        with open(folder + "/out/old", "w") as file:
            file.write(BEFORE[1]["old"])
        with open(folder + "/playbooks/p.lua", "w") as file:
            file.write(PLAYBOOK % self.server.server_port)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, args, lines=None, request=None):
        """Kills it behind that many lines of its stream, or at that request. Gives exit code, lines and words."""
        self.server.changes, self.server.kill_at = 0, request
        process = subprocess.Popen([self.dosrun, "--output", "jsonl", "--state", self.folder + "/state"] + args, cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.server.victim, seen = process.pid, []
        for line in process.stdout:
            seen.append(line)
            if lines is not None and len(seen) == lines:
                process.kill()
        words = process.stderr.read()
        process.wait()
        self.server.victim = None
        return process.returncode, seen, words

    def state(self):
        files = {}
        for name in os.listdir(self.folder + "/out"):
            with open(self.folder + "/out/" + name) as file:
                files[name] = file.read()
        return dict(self.server.store), files

    def journal(self):
        for folder, _, names in os.walk(self.folder + "/state"):
            for name in names:
                if name.endswith(".jsonl"):
                    with open(os.path.join(folder, name)) as file:
                        return [json.loads(line) for line in file]
        return []


def judge(place, point, command):
    """One point: the reason why it is wrong, or None."""
    kind, at = point
    kill = {"lines": at} if kind == "line" else {"request": (at, kind)}
    code, _, words = place.run(["playbooks/p.lua"], **kill)
    begun = any(event["type"] == "run" for event in place.journal())
    if code == 0:  # it was quicker than the kill
        return None if place.state() == AFTER else f"done, and it is {place.state()}"
    if not begun:
        return None if place.state() == BEFORE else f"not begun, and it is {place.state()}"
    if at % 3 == 0:
        place.run([command], lines=3 + at % 7)
    over = place.journal()[-1]
    over = over["type"] == "run.end" and over["exit"] == 0
    code, seen, words = place.run([command])
    wanted = AFTER if command == "resume" else BEFORE
    if code != 0 and not (over and command == "resume" and code == 64):
        return f"{command} ended with {code}: {words} {seen[-2:]}"
    if place.state() != wanted:
        return f"after {command} it is {place.state()}"
    attempts = [event["attempt"] for event in place.journal() if event["type"] in ("call.intent", "call.read")]
    if len(set(attempts)) != len(attempts):
        return f"attempts came twice: {attempts}"
    code, seen, words = place.run(["playbooks/p.lua"])
    if code != 0 or place.state() != AFTER:
        return f"a run after {command} ended with {code}: {words}"
    return None


def main():
    dosrun, folder, count = os.path.abspath(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    whole = Place(dosrun, folder + "/whole")
    code, seen, words = whole.run(["playbooks/p.lua"])
    requests = whole.server.changes
    if code != 0 or whole.state() != AFTER:
        print("without a kill:", code, words, whole.state())
        return 1
    whole.close()
    points = [("line", i) for i in range(1, len(seen) + 1)]
    points += [(when, i) for i in range(1, requests + 1) for when in ("before", "after")]
    trials = [(point, command) for point in points for command in ("resume", "rollback")]
    trials = (trials * (count // len(trials) + 1))[: max(count, len(trials))]
    wrong, guard, todo = [], threading.Lock(), iter(enumerate(trials))

    def work():
        while True:
            with guard:
                number, (point, command) = next(todo, (None, (None, None)))
            if number is None:
                return
            place = Place(dosrun, f"{folder}/{number}")
            why = judge(place, point, command)
            place.close()
            if why:
                with guard:
                    wrong.append(f"{point[0]} {point[1]}, {command}: {why}")

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for line in wrong:
        print(line)
    print(f"{len(trials)} points, {len(wrong)} wrong")
    return 1 if wrong or len(trials) < count else 0


sys.exit(main())
