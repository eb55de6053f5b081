"""The AWS client beside the aws CLI and boto3: the same operation, keys and local server, one after another in one run.

The server gives GetCallerIdentity one fixed answer, so that only the clients are compared. The CLI makes a process of each
call: a hundred and a thousand of them are reckoned from CLI_CALLS, and the figure says so.
"""
import concurrent.futures
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import time

import measure
from measure import CACHE, ROOT, playbook, project, row, summary_of, timed

ROWS, CONCURRENT, CLI_CALLS, CLI_AT_ONCE = 100, 1000, 40, 8
SERVER = pathlib.Path(__file__).with_name("answer.py")
CALL = "dosrun.aws.sts:get_caller_identity()"
BODIES = {
    "one": f'playbook:step("call", function() {CALL} end)',
    "row": f'playbook:step("calls", function() for _ = 1, {ROWS} do {CALL} end end)',
    "many": f"""playbook:step("calls", function()
  local calls = {{}}
  for i = 1, {CONCURRENT} do calls[i] = function() return {CALL}.Account end end
  dosrun.parallel(calls, {CONCURRENT})
end)""",
}
BOTO = {
    "one": "client.get_caller_identity()",
    "row": f"for _ in range({ROWS}): client.get_caller_identity()",
    "many": f"""import concurrent.futures
with concurrent.futures.ThreadPoolExecutor({CONCURRENT}) as pool:
    list(pool.map(lambda _: client.get_caller_identity(), range({CONCURRENT})))""",
}
BOTO_CLIENT = f"""import boto3, botocore.config
client = boto3.client("sts", config=botocore.config.Config(max_pool_connections={CONCURRENT}))
"""
SIGNING = """import time, botocore.auth, botocore.awsrequest, botocore.credentials
signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials("AKIDEXAMPLE", "x" * 40), "sts", "us-east-1")
def sign():
    signer.add_auth(botocore.awsrequest.AWSRequest("POST", "https://sts.us-east-1.amazonaws.com/",
        headers={"Content-Type": "application/x-www-form-urlencoded"}, data=b"Action=GetCallerIdentity&Version=2011-06-15"))
until, count = time.perf_counter() + 3, 0
while time.perf_counter() < until:
    sign()
    count += 1
print(count / 3)
"""


@contextlib.contextmanager
def answering():
    """A server of this bench's; its address."""
    with subprocess.Popen([sys.executable, "-B", SERVER], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def resident(command, **options):
    """Milliseconds from start to exit, greatest resident KiB."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} ended {process.returncode}: {said.decode()[-2000:]}")
    return (time.perf_counter() - began) * 1000, usage.ru_maxrss


def peers():
    """The folder of their programs; None, and a line that says why, without."""
    if measure.here.no_peers:
        return None
    done = subprocess.run([ROOT / "tests/conformance/build", "peers"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode:
        row("aws CLI and boto3", "", "", f"not here: {done.stderr.strip()[-200:]}")
        return None
    return CACHE / "awscli/bin"


class Calls:
    """The same calls by each of the three."""

    def __init__(self, env, folder, programs):
        self.env, self.folder, self.programs = env, folder, programs
        self.cli = [programs / "aws", "sts", "get-caller-identity"] if programs else None

    def median(self, found):
        return statistics.median(ms for ms, _ in found), max(kib for _, kib in found) / 1024

    def ours(self, name, times):
        command = [measure.here.dosrun, f"playbooks/{name}.lua"]
        return self.median([summary_of(command, cwd=self.folder, env=self.env)[1:] for _ in range(times)])

    def boto(self, name, times):
        command = [self.programs / "python", "-B", "-c", BOTO_CLIENT + BOTO[name]]
        return self.median([resident(command, env=self.env) for _ in range(times)])

    def cli_ms(self, at_once):
        """Of a call, when so many processes run side by side."""
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            began = time.perf_counter()
            list(pool.map(lambda _: resident(self.cli, env=self.env), range(CLI_CALLS)))
            return (time.perf_counter() - began) * 1000 / CLI_CALLS

    def beside(self, ms, cli_ms, boto_ms, how=""):
        return f"aws CLI: {cli_ms:.0f} ms{how} ({cli_ms / ms:.0f} times); boto3: {boto_ms:.0f} ms ({boto_ms / ms:.1f} times)"

    def one(self):
        ms, _ = self.ours("one", 30)
        peer = self.beside(ms, timed(self.cli, 7, env=self.env), self.boto("one", 7)[0]) if self.cli else ""
        row("one AWS call, start to exit", f"{ms:.1f} ms", "1/50 of the aws CLI", peer)

    def row(self):
        ms, _ = self.ours("row", 5)
        peer = self.beside(ms, self.cli_ms(1) * ROWS, self.boto("row", 3)[0], f" (of {CLI_CALLS})") if self.cli else ""
        row(f"{ROWS} calls in a row", f"{ms:.0f} ms", "", peer)

    def many(self):
        ms, mib = self.ours("many", 3)
        peer = memory = ""
        if self.cli:
            boto_ms, boto_mib = self.boto("many", 3)
            peer = self.beside(ms, self.cli_ms(CLI_AT_ONCE) * CONCURRENT, boto_ms, f" (of {CLI_CALLS}, {CLI_AT_ONCE} at once)")
            memory = f"boto3: {boto_mib:.0f} MiB; an aws CLI: {resident(self.cli, env=self.env)[1] / 1024:.0f} MiB each"
        row(f"{CONCURRENT:,} calls at once", f"{ms:.0f} ms", "", peer)
        row("resident memory of them", f"{mib:.1f} MiB", "16 MiB", memory)


def signing(programs):
    vectors = pathlib.Path(measure.here.dosrun).with_name("vectors_aws_sigv4")
    subprocess.run(["cmake", "--build", vectors.parent, "--target", vectors.name], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    rates = [float(subprocess.run([vectors, "--rate"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[0])
             for _ in range(3)]
    ours, peer = statistics.median(rates), ""
    if programs:
        done = subprocess.run([programs / "python", "-c", SIGNING], stdout=subprocess.PIPE, text=True, check=True)
        theirs = float(done.stdout)
        peer = f"botocore: {theirs:,.0f} ({ours / theirs:.0f} times)"
    row("signatures of one core", f"{ours:,.0f} a second", "20 times botocore's", peer)


def bench():
    programs = peers()
    folder = project({f"playbooks/{name}.lua": playbook(name, body, "reads = true") for name, body in BODIES.items()} |
                     {"targets.lua": 'return { here = { kind = "local", default = true } }\n'})
    with answering() as url:
        env = {**measure.here.env, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "x" * 40,
               "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": url,
               "AWS_EC2_METADATA_DISABLED": "true"}
        calls = Calls(env, folder, programs)
        calls.one()
        calls.row()
        calls.many()
    signing(programs)
    row("table of 28 services", f"{os.path.getsize(ROOT / 'engine/aws/table.bin') / 1e6:.3f} MB", "0.7 MB")
