"""What each function weighs: its binary, the zip beside its goal, its memory after the start and after one invocation.

A function runs here as it does on AWS: it asks a runtime API for one event of events/lambda, and a table and secrets that
hold nothing answer it. It ends with an error if a zip misses its goal or a binary needs a newer glibc than AWS has there.
"""

import http.server
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "events" / "lambda"
# 3 MB as AWS counts its limits.
ZIP_GOAL = 3 * 1024 * 1024
# That of provided.al2023.
NEWEST_GLIBC = (2, 34)
EVENT_OF = {
    "answer": "answer_valid",
    "api": "api_valid",
    "crm": "crm_wake_up",
    "ingest": "ingest_valid",
    "outbound": "outbound_wake_up",
    "route": "route_event_queue",
    "verify": "verify_raw_queue",
    "auto-reply": "wake_schedule",
    "auto-close": "wake_schedule",
    "wake": "wake_schedule",
}
VARIABLES = "TABLE_NAME QUARANTINE_TABLE_NAME RAW_QUEUE_URL EVENT_QUEUE_URL CRM_QUEUE_URL OUTBOUND_QUEUE_URL"
VARIABLES += " EVENT_BUS_NAME BLOB_BUCKET PUBLIC_URL SECRET_PREFIX AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"
# The answer of each service of AWS in one: nothing is found, everything is taken.
NOTHING = {"SecretString": "x" * 64, "Items": [], "Count": 0, "Successful": [], "Failed": [], "Entries": []}


def too_new(binary):
    """What a binary takes from a newer glibc than AWS has: `statx@GLIBC_2.28`."""
    told = subprocess.run(["readelf", "-W", "--dyn-syms", binary], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"(\S+@+GLIBC_)([0-9.]+)", told)
    assert found, f"{binary} is linked to no glibc"
    return [name + at for name, at in found if tuple(map(int, at.split("."))) > NEWEST_GLIBC]


def zipped(binary):
    """Bytes of what is uploaded."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(binary, "bootstrap")
    return len(packed.getvalue())


class Host(http.server.ThreadingHTTPServer):
    """The runtime API with one event, and AWS with nothing in it. `asked` is set when a function wants an event."""

    def __init__(self, event):
        self.event = event
        self.given = 0
        self.asked = [threading.Event(), threading.Event()]
        self.go = threading.Event()
        self.answer = None
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked[self.server.given].set()
        self.server.go.wait() if self.server.given == 0 else time.sleep(60)
        self.server.given += 1
        deadline = str(int(time.time() * 1000) + 20_000)
        self.reply(self.server.event, {"lambda-runtime-aws-request-id": "r-1", "lambda-runtime-deadline-ms": deadline})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if "/runtime/" in self.path:
            self.server.answer = (self.path.rsplit("/", 1)[-1], body.decode())
        self.reply(json.dumps(NOTHING).encode(), {"content-type": "application/x-amz-json-1.0"})

    def reply(self, body, headers):
        self.send_response(200)
        for name, value in (headers | {"content-length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


def memory(name, binary):
    """The most memory a function took until its first event, and until after it; in KiB."""
    host = Host((EVENTS / f"{EVENT_OF[name]}.json").read_bytes())
    host.daemon_threads = True
    threading.Thread(target=host.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{host.server_port}"
    env = dict.fromkeys(VARIABLES.split(), "x") | {
        "HOOK_PUBLIC_KEYS": json.loads((EVENTS / "keys.json").read_text())["public"],
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": f"http://{address}",
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "RUST_LOG": "error",
    }
    process = subprocess.Popen([binary], env=env, stdout=subprocess.DEVNULL)
    try:
        taken = []
        for asked in host.asked:
            assert asked.wait(30), f"{name} asked for no event within 30 s"
            status = Path(f"/proc/{process.pid}/status").read_text()
            taken.append(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]))
            host.go.set()
        assert host.answer and host.answer[0] == "response", f"{name}: {host.answer}"
        return taken
    finally:
        process.kill()
        process.wait()
        host.shutdown()


def main():
    # A folder of binaries for another processor; those cannot be run.
    foreign = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    code = foreign or Path(os.environ["CLOUD_WORK"]) / "code"
    names = [name for name in EVENT_OF if (code / name / "bootstrap").exists()]
    assert names, f"no functions in {code}: run `just cloud` first"
    faults = []
    print(f"{'function':10}{'binary':>12}{'zip':>12}{'goal':>12}{'KiB at start':>14}{'after one':>12}")
    for name in names:
        binary = code / name / "bootstrap"
        size = zipped(binary)
        told = "" if foreign else "{:14,}{:12,}".format(*memory(name, binary))
        print(f"{name:10}{binary.stat().st_size:12,}{size:12,}{ZIP_GOAL:12,}{told}", flush=True)
        faults += [f"{name} needs {symbol}" for symbol in too_new(binary)]
        faults += [f"the zip of {name} is larger than {ZIP_GOAL:,} bytes"] if size > ZIP_GOAL else []
    print("\n".join(faults) or f"none needs a glibc newer than {'.'.join(map(str, NEWEST_GLIBC))}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
