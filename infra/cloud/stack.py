"""The emulator, the deployment and the programs around it; no checks in here."""

import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import boto3

ROOT = Path(__file__).resolve().parents[2]
WORK = Path(os.environ["CLOUD_WORK"])
TARGET = Path(os.environ["CLOUD_TARGET"])
PROFILE = os.environ["CLOUD_PROFILE"]
FUNCTIONS = sorted(folder.name for folder in (ROOT / "functions").iterdir())
PEREZVON = TARGET / "debug" / "perezvon"
# The installation, as the copy of samconfig.toml names it.
ENV = "cloud"
STACK = "perezvon-cloud"
REGION = "eu-central-1"
# Where `sam deploy` puts the code.
DEPLOYMENTS = "deployments"
# With these two the emulator enforces no policy: they are the account's root.
ROOT_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(what, seconds, look, every=0.3):
    """Looks until it sees something; what it saw. An error says what never came."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(every)


def get_json(url, headers=None):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=30) as answer:
        return json.load(answer)


class Process:
    """A program of ours with its log; ended by SIGTERM, never killed: the emulator saves its state then."""

    def __init__(self, name, words, env=None):
        self.log = WORK / f"{name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, cwd=WORK, env=env)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)


class Emulator:
    """AWS on this machine. Functions are processes of this machine too, and inherit its environment."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        print(f"   AWS is {self.url}", flush=True)
        self.state = WORK / "state"
        shutil.rmtree(self.state, ignore_errors=True)

    def first_start(self):
        self.start()
        bucket = {"LocationConstraint": REGION}
        self.client("s3").create_bucket(Bucket=DEPLOYMENTS, CreateBucketConfiguration=bucket)

    def start(self):
        env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
            # Without it functions of provided.* would ask the real AWS.
            "AWS_ENDPOINT_URL": self.url,
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": REGION,
            "AUTH": "true",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.state),
        }
        words = [str(WORK / "emulator" / "bin" / "ministack")]
        self.process = Process("emulator", words, env)
        until("the emulator answers", 60, self._answers)

    def _answers(self):
        assert self.process.process.poll() is None, f"the emulator ended: see {self.process.log}"
        try:
            return get_json(f"{self.url}/_ministack/health")
        except OSError:
            return None

    def end(self):
        self.process.end()

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ROOT_KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ROOT_KEYS["AWS_SECRET_ACCESS_KEY"],
        )


class Door(threading.Thread):
    """What DNS and TLS are on AWS: an address of its own in front of the HTTP API, which is found by its Host."""

    def __init__(self, emulator):
        super().__init__(daemon=True)
        door = self
        self.api = None

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                headers["Host"] = f"{door.api}.execute-api.127.0.0.1:{emulator.port}"
                inside = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=60)
                try:
                    inside.request(self.command, self.path, body, headers)
                    answer = inside.getresponse()
                    status, given, answered = answer.status, answer.getheaders(), answer.read()
                except OSError:
                    status, given, answered = 502, [], b""
                self.send_response_only(status)
                for name, value in given:
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(answered)))
                self.end_headers()
                self.wfile.write(answered)

            do_GET = do_POST = do_PUT = do_DELETE = pass_on

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def run(self):
        self.server.serve_forever()


def perezvon(*words, env=None, given=None, fails=False):
    """Runs our command line; what it says."""
    done = subprocess.run(
        [str(PEREZVON), *map(str, words)],
        env=os.environ | (env or {}),
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=WORK,
    )
    if (done.returncode != 0) != fails:
        raise AssertionError(f"perezvon {' '.join(map(str, words[:2]))}: {done.stdout}{done.stderr}")
    return done.stdout


def stage():
    """The template with binaries in the place of crates, as `sam build` leaves it."""
    folder = {"dev": "debug"}.get(PROFILE, PROFILE)
    template = (ROOT / "infra" / "template.yaml").read_text()
    for name in FUNCTIONS:
        code = WORK / "code" / name
        code.mkdir(parents=True, exist_ok=True)
        subprocess.run(["strip", "-o", code / "bootstrap", TARGET / folder / name], check=True)
        place = f"CodeUri: ../functions/{name}\n"
        assert place in template, f"the template has no {place}"
        template = template.replace(place, f"CodeUri: code/{name}\n")
    # On AWS the right to send is the right to send batches; the emulator asks for the batch's own name.
    template = template.replace("Action: sqs:SendMessage\n", "Action: [sqs:SendMessage, sqs:SendMessageBatch]\n")
    (WORK / "template.yaml").write_text(template)


def configure(**parameters):
    """The project's samconfig.toml with an installation of our own. `perezvon keys` adds the keys."""
    overrides = json.dumps([f"{name}={value}" for name, value in parameters.items()])
    ours = f'''
[{ENV}.global.parameters]
stack_name = "{STACK}"

[{ENV}.deploy.parameters]
capabilities = "CAPABILITY_IAM"
parameter_overrides = {overrides}
'''
    (WORK / "samconfig.toml").write_text((ROOT / "samconfig.toml").read_text() + ours)


def deploy(emulator):
    """`sam deploy`; the stack's outputs."""
    env = os.environ | ROOT_KEYS | {
        "AWS_ENDPOINT_URL": emulator.url,
        "AWS_DEFAULT_REGION": REGION,
        "SAM_CLI_TELEMETRY": "0",
    }
    words = ["deploy", "-t", WORK / "template.yaml", "--config-file", WORK / "samconfig.toml", "--config-env", ENV]
    words += ["--s3-bucket", DEPLOYMENTS, "--no-confirm-changeset", "--no-progressbar", "--no-fail-on-empty-changeset"]
    done = subprocess.run([WORK / "sam" / "bin" / "sam", *words], env=env, capture_output=True, text=True, cwd=WORK)
    (WORK / "deploy.log").write_text(done.stdout + done.stderr)
    if done.returncode != 0:
        sys.stdout.write(done.stdout[-6000:] + done.stderr[-3000:])
        raise AssertionError("sam deploy failed")
    stack = emulator.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
