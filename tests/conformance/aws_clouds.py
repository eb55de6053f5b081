"""Simulated AWS on loopback for the tests: moto and ministack, each on a free port, ended by its own process. Brought by
`build aws` of this folder."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("DOSRUN_TEST_CACHE",
                                    pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
                                    / "dosrun-tests"))
USER = """
import json, sys
import botocore.session
iam = botocore.session.Session().create_client("iam", "us-east-1", endpoint_url=sys.argv[1], aws_access_key_id="test",
                                               aws_secret_access_key="test")
may = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
iam.create_user(UserName="judge")
iam.put_user_policy(UserName="judge", PolicyName="may", PolicyDocument=may)
key = iam.create_access_key(UserName="judge")["AccessKey"]
print(json.dumps([key["AccessKeyId"], key["SecretAccessKey"]]))
"""

CLOCK = """
import datetime, sys, time
ahead, tells = float(sys.argv[1]), int(sys.argv[2])
del sys.argv[1:]
real = time.time
if tells:
    time.time = lambda: real() + ahead
class Ahead(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds=ahead)
    @classmethod
    def utcnow(cls):
        return super().utcnow() + datetime.timedelta(seconds=ahead)
datetime.datetime = Ahead
from ministack.app import main
main()
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Cloud:
    name = health = ""
    access_key, secret_key = "AKIATESTTESTTESTTEST", "test"

    def command(self, port):
        raise NotImplementedError

    def __enter__(self):
        subprocess.run([HERE / "build", "aws"], check=True, stdout=sys.stderr)
        self.work = pathlib.Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        words, env = self.command(port)
        with open(self.work / "log", "w") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, cwd=self.work,
                                            env={"PATH": os.environ["PATH"], "HOME": str(self.work), **env})
        until = time.time() + 60
        while True:
            try:
                urllib.request.urlopen(self.url + self.health, timeout=5).close()
                break
            except OSError:
                if time.time() > until or self.process.poll() is not None:
                    log = self.log()
                    self.__exit__()
                    raise RuntimeError(f"{self.name} does not start: {log}") from None
                time.sleep(0.05)
        self.prepare()
        return self

    def prepare(self):
        pass

    def log(self, lines=20):
        return "\n".join((self.work / "log").read_text(errors="replace").splitlines()[-lines:])

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.work, ignore_errors=True)

    def env(self, region="us-east-1"):
        """What an AWS client needs to come here, and nothing of this machine."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key, "AWS_REGION": region,
                "AWS_DEFAULT_REGION": region,       # botocore reads no other
                "AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_DISABLED": "true"}


class Moto(Cloud):
    """Strict about what depends on what; takes any key."""
    name, health = "moto", "/moto-api/"

    def __init__(self, managed_policies=False):
        self.managed_policies = managed_policies

    def command(self, port):
        return [CACHE / "moto/bin/moto_server", "-H", "127.0.0.1", "-p", str(port)], {
            "MOTO_IAM_LOAD_MANAGED_POLICIES": str(self.managed_policies).lower()}


class Ministack(Cloud):
    """Verifies signatures; has an IAM user whose keys these are. Its clock can go ahead, its Date header with it or not."""
    name, health = "ministack", "/_ministack/health"
    setup = USER    # prints the keys that this is used with

    def __init__(self, ahead_s=0, tells=True):
        self.ahead_s, self.tells = ahead_s, tells

    def command(self, port):
        python = CACHE / "ministack/bin/python"
        words = [python, "-c", CLOCK, str(self.ahead_s), str(int(self.tells))] if self.ahead_s else \
            [CACHE / "ministack/bin/ministack"]
        return words, {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "AUTH": "true"}

    def prepare(self):
        made = subprocess.run([CACHE / "ministack/bin/python", "-c", self.setup, self.url], capture_output=True, text=True,
                              check=False, env={"PATH": os.environ["PATH"], "HOME": str(self.work)})
        if made.returncode:
            self.__exit__()
            raise RuntimeError(made.stderr)
        self.access_key, self.secret_key = json.loads(made.stdout)
