"""A headless Chromium and one tab of it, driven over the DevTools protocol with nothing but the standard library."""

import base64
import json
import os
import socket
import struct
import subprocess
import time
import urllib.request
from pathlib import Path

# Nothing here takes longer unless it hangs.
PATIENCE = 20


def until(what, look, seconds=PATIENCE):
    """Looks until it sees something; what it saw. An error says what never came."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class Socket:
    """The client's half of a WebSocket: text messages."""

    def __init__(self, url):
        host, path = url.removeprefix("ws://").split("/", 1)
        name, port = host.rsplit(":", 1)
        self.stream = socket.create_connection((name, int(port)), timeout=PATIENCE)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET /{path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
        self.stream.sendall("\r\n".join(lines).encode())
        self.file = self.stream.makefile("rb")
        status = self.file.readline()
        assert b" 101 " in status, f"no WebSocket: {status}"
        while self.file.readline() not in (b"\r\n", b""):
            pass

    def send(self, text, kind=1):
        data, mask = text.encode(), os.urandom(4)
        length = bytes([0x80 | len(data)]) if len(data) < 126 else struct.pack("!BH", 0xFE, len(data))
        if len(data) > 0xFFFF:
            length = struct.pack("!BQ", 0xFF, len(data))
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
        self.stream.sendall(bytes([0x80 | kind]) + length + mask + masked)

    def receive(self):
        whole = b""
        while True:
            first, second = self.file.read(2)
            length = second & 0x7F
            if length > 125:
                length = int.from_bytes(self.file.read(2 if length == 126 else 8))
            data, kind = self.file.read(length), first & 0x0F
            assert kind != 8, "the browser closed the connection"
            if kind == 9:
                self.send(data.decode(), 10)
            elif kind < 3:
                whole += data
                if first & 0x80:
                    return whole.decode()


class Browser:
    """Chromium with a profile of its own, and its only tab."""

    def __init__(self, program, folder):
        words = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        words += ["--disable-background-networking", "--disable-extensions", "--remote-debugging-port=0"]
        words += [f"--user-data-dir={folder}", "about:blank"]
        with Path(f"{folder}.log").open("wb") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
        port = Path(folder, "DevToolsActivePort")
        until("the browser listens", lambda: port.exists() and port.read_text().count("\n") > 0)
        address = f"http://127.0.0.1:{port.read_text().splitlines()[0]}/json/list"
        self.socket = Socket(until("a tab", lambda: self._tab(address)))
        self.count = 0
        # What the browser told meanwhile.
        self.events = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    @staticmethod
    def _tab(address):
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            tabs = [tab for tab in json.load(answer) if tab["type"] == "page"]
        return tabs and tabs[0]["webSocketDebuggerUrl"]

    def _read(self):
        message = json.loads(self.socket.receive())
        if "method" in message:
            self.events.append((message["method"], message["params"]))
        return message

    def call(self, method, **params):
        self.count += 1
        number = self.count
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = self._read()
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message.get('error')}"
                return message["result"]

    def told(self, method):
        """What was told under this name."""
        return [params for name, params in self.events if name == method]

    def wait_for(self, method):
        """The next that is told under this name and was not told before."""
        before = len(self.told(method))
        while len(self.told(method)) == before:
            self._read()
        return self.told(method)[-1]

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, f"{expression}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    def find(self, selector, words=""):
        """An expression for the first visible element with these words."""
        wanted = f"(one) => one.innerText.includes({json.dumps(words)}) && one.checkVisibility()"
        return f"[...document.querySelectorAll({json.dumps(selector)})].find({wanted})"

    def see(self, selector, words=""):
        """Waits until the page shows it; its words."""
        look = f"[{self.find(selector, words)}].filter(Boolean).map((one) => [one.innerText])"
        return until(f"{selector} with {words!r}", lambda: self.value(look))[0][0]

    def click(self, selector, words=""):
        """As a finger would: what lies over it gets the click, so nothing may."""
        self.see(selector, words)
        place = self.value(
            f"(() => {{ const one = {self.find(selector, words)}; one.scrollIntoView({{ block: 'nearest' }});"
            "const box = one.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;"
            "return [x, y, one.contains(document.elementFromPoint(x, y)) && !one.disabled]; })()"
        )
        assert place[2], f"{selector} with {words!r} cannot be reached"
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def type(self, selector, text):
        self.click(selector)
        self.call("Input.insertText", text=text)

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
