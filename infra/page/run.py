"""An employee reads, answers and closes a conversation on the page, on a telephone, is told who calls, and calls back;
the client and the PBX are a sandbox's."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request
from pathlib import Path

from browser import PATIENCE, Browser, until

OURS = 100_000_001
WIDTH, HEIGHT = 390, 844
ASKED = "Здравствуйте! Велосипед ещё продаётся?"
PICTURE = "https://img.example.test/chat/640x480/1.jpg"
ANSWER = "Да, продаётся. Когда вам удобно посмотреть?"
CALLER = "79990000001"
CLOSING = "Если остались вопросы, напишите нам снова."


class World:
    """The program, the sandbox, the browser, and a folder that is gone afterwards."""

    def __init__(self, program):
        self.program = program
        self.folder = Path(tempfile.mkdtemp(prefix="perezvon-page-"))
        self.running = []

    def process(self, name, *words):
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen([self.program, *words], stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        self.running.append(process)

        def ready():
            assert process.poll() is None, f"{name} ended by itself"
            lines = [line for line in log.read_text().splitlines() if " ready" in line and "http://" in line]
            return lines and lines[0].split("http://")[1].strip()

        return until(f"{name} is ready", ready)

    def start(self):
        self.sandbox = self.process("sandbox", "sandbox", "--listen", "127.0.0.1:0")
        settings = self.folder / "settings.toml"
        text = Path(__file__).with_name("settings.toml").read_text()
        settings.write_text(text.replace("SANDBOX", self.sandbox))
        words = ["--listen", "127.0.0.1:0", "--data", str(self.folder / "data"), "--settings", str(settings)]
        server = self.process("local", "local", "--no-demo", "--allow-host", self.sandbox, *words)
        self.server = f"http://{server}"
        until("the channel is subscribed", lambda: self.state()["subscriptions"])

    def ask(self, path, body=None, of="avito"):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.sandbox}/{of}/sandbox/{path}", data)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read() or b"null")

    def state(self):
        return self.ask("state")

    def ours(self):
        """The texts under our name, oldest first."""
        mine = [message for message in self.messages() if message["author_id"] == OURS]
        return [message["text"] for message in mine if not message.get("media")]

    def messages(self):
        return [message for chat in self.state()["chats"] for message in chat["messages"]]

    def cli(self, *words):
        words += ("--server", self.server, "--data", str(self.folder / "data"), "--json")
        told = subprocess.run([self.program, *words], check=True, capture_output=True, timeout=PATIENCE).stdout
        return json.loads(told)

    def token(self):
        return self.cli("token", "petrova")["token"]

    def open_page(self):
        self.page = Browser(os.environ["CHROMIUM"], self.folder / "chromium")
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": True}
        self.page.call("Emulation.setDeviceMetricsOverride", **size)
        self.page.call("Page.navigate", url=self.server)
        self.log_in()
        self.page.click("nav a", "Обращения")
        # Gone as soon as somebody loads the page again.
        self.page.value("window.loadedOnce = true")

    def log_in(self):
        self.page.type("textarea[name=token]", self.token())
        self.fits("login")
        self.page.click("button", "Войти")

    def choose(self, of):
        """Which list is shown: a select of a telephone is the telephone's, so no click."""
        self.page.see("main select")
        self.page.value("{ const list = document.querySelector('main select');"
                        f"list.value = {json.dumps(of)}; list.dispatchEvent(new Event('change')); }}")

    def typed(self):
        return self.page.value("document.querySelector('.composer textarea').value")

    def client_writes(self):
        self.page.see("main", "Никто не ждёт ответа")
        self.choose("group:Продажи")
        self.chat = self.ask("messages", {"text": ASKED})["chat"]
        row = self.page.see("a.row", ASKED)
        assert "не прочитано" in row and "Продажи" in row, row
        assert self.page.value("window.loadedOnce"), "the page was loaded again"
        self.fits("list")

    def open(self):
        self.page.click("a.row", ASKED)
        assert "Клиент" in self.page.see(".message.client", ASKED)
        self.page.see(".card", "Автоответ уйдёт")
        self.fits("conversation")

    def sends_picture(self):
        """By hand: clients of the sandbox have words only."""
        state = self.state()
        news = json.loads(state["pushed"][0]["body"])
        picture = {"type": "image", "content": {"image": {"sizes": {"640x480": PICTURE}}}}
        place = {"type": "location", "content": {"location": {"lat": 55.599799, "lon": 37.603954, "text": "Москва"}}}
        for name, content in [("picture", picture), ("place", place)]:
            news["payload"]["value"] |= {"id": name, **content}
            request = urllib.request.Request(state["subscriptions"][0], json.dumps(news).encode())
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                assert answer.status == 200, answer.status

    def typing_survives(self):
        self.page.type(".composer textarea", ANSWER)
        self.sends_picture()
        self.ask("messages", {"chat": self.chat, "text": "Ау!"})
        self.page.see(".message.client", "Ау!")
        link = self.page.see(".message.client a", "img.example.test")
        assert "картинка" in self.page.see(".message.client", link)
        self.page.see(".message.client a", "на карте: 55.599799, 37.603954")
        safe = "[...document.querySelectorAll('.message a')].every((it) => it.rel === 'noopener noreferrer' && it.target === '_blank')"
        assert self.page.value(safe), "a page of others must not know where it was opened from"
        typed = self.page.value("document.activeElement.value")
        assert typed == ANSWER, f"what was typed is now {typed!r}"

    def answer_is_lost(self):
        pattern = {"urlPattern": "*/reply", "requestStage": "Response"}
        self.page.call("Fetch.enable", patterns=[pattern])
        self.page.click("button", "Ответить")
        held = self.page.wait_for("Fetch.requestPaused")
        off = self.page.value(f"({self.page.find('button', 'Ответить')}).disabled")
        assert off, "a second click would send again"
        self.page.call("Fetch.failRequest", requestId=held["requestId"], errorReason="ConnectionReset")
        self.page.call("Fetch.disable")
        self.page.see("#notice", "Связь с сервером потеряна")
        until("the text arrived", lambda: ANSWER in self.ours())
        assert self.typed() == ANSWER, f"what was typed is now {self.typed()!r}"

    def answered_once(self):
        self.page.click("button", "Ответить")
        until("the box is empty", lambda: not self.typed())
        message = self.page.see(".message.agent", "отправлено")
        assert ANSWER in message and "Мария Петрова" in message, message
        self.page.see(".card", "Отвечает: Мария Петрова")
        assert self.ours() == [ANSWER], self.ours()

    def login_ends(self):
        self.page.type(".composer textarea", "Перезвонить завтра")
        self.page.call("Network.clearBrowserCookies")
        self.page.click("button", "Заметка")
        self.log_in()
        self.page.see(".message.agent", ANSWER)
        assert self.typed() == "Перезвонить завтра", f"what was typed is now {self.typed()!r}"

    def note(self):
        self.page.click("button", "Заметка")
        self.page.see(".message.note", "Перезвонить завтра")
        self.page.click("button", "Вернуть отделу")
        self.page.see(".card", "Отдел «Продажи»")
        self.page.click("button", "Взять себе")
        self.page.see(".card", "Отвечает: Мария Петрова")
        pass_on = "document.querySelector('main select')"
        until("colleagues are known", lambda: self.page.value(f"{pass_on}.options.length") == 3)
        self.page.value(f"{pass_on}.value = 'sidorov'; {pass_on}.dispatchEvent(new Event('change')); 0")
        self.page.see(".card", "Отвечает: Пётр Сидоров")
        self.page.click("button", "Взять себе")
        self.page.see(".card", "Отвечает: Мария Петрова")
        self.fits("answered")

    def picture(self):
        self.page.value("{ const files = new DataTransfer();"
                        "files.items.add(new File([Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10, 0)], 'a.png'));"
                        "const input = document.querySelector('.composer input[type=file]');"
                        "input.files = files.files; input.dispatchEvent(new Event('change')); } 0")
        self.page.see(".message.agent", "картинка")
        sent = lambda: [it for it in self.messages() if it["author_id"] == OURS and "image" in it.get("media", {})]
        until("the picture arrived", sent)
        assert len(sent()) == 1, sent()

    def voice(self):
        self.ask("messages", {"chat": self.chat, "media": {"voice": "v-1"}})
        self.page.click(".message.client button", "Получить ссылку на запись")
        self.page.see(".message.client a", "Послушать")
        self.fits("media")

    def mine(self):
        self.ask("messages", {"chat": self.chat, "text": "Приеду в шесть"})
        self.page.see(".message.client", "Приеду в шесть")
        self.page.click("main a", "К списку")
        self.choose("employee:petrova")
        self.page.see("a.row", "Приеду в шесть")
        read = f"!({self.page.find('a.row')}).innerText.includes('не прочитано')"
        until("what was looked at is not unread", lambda: self.page.value(read))
        self.page.click("a.row", "Приеду в шесть")
        self.page.see(".message.client", "Приеду в шесть")

    def take_back(self):
        self.page.value("window.confirm = () => true; 0")
        self.page.click("button", "Удалить")
        self.page.see(".message.agent", "сообщение удалено")
        deleted = lambda message: message["text"] == ANSWER and message["deleted"]
        until("the client does not see it any more", lambda: any(map(deleted, self.messages())))

    def close(self):
        self.page.click("main button", "Закрыть")
        self.page.see(".card", "закрыл Мария Петрова")
        self.page.see(".message.automatic", CLOSING)
        until("the closing text arrived", lambda: CLOSING in self.ours())
        self.page.click("main a", "К списку")
        self.choose("")
        self.page.see("a.row", "закрыто")
        assert self.ours() == [ANSWER, CLOSING], self.ours()
        self.fits("closed")

    def telephone_rings(self):
        address = next(it["url"] for it in self.cli("urls")["urls"] if it["channel"] == "pbx")
        self.ask("address", {"address": address}, of="vpbx")
        self.ask("calls", {"what": "incoming", "client": CALLER, "employee": "12", "talk_s": 4}, of="vpbx")
        self.page.see(".popup", "Звонит телефон")
        assert f"+{CALLER}" in self.page.see(".popup", "входящий")
        self.fits("popup")
        self.page.see(".popup", "Разговор")
        until("it goes with the end of the call", lambda: not self.page.value(self.page.find(".popup") + " !== undefined"))

    def calls_back(self):
        self.page.click("nav a", "Звонки")
        self.page.see("main", CALLER[-4:])
        self.page.click("main button", "Перезвонить")
        self.page.see("main [role=status]", "звонок начался")
        calls = self.ask("state", of="vpbx")["calls"]
        assert len(calls) == 2, calls
        self.fits("called back")

    def nothing_strange(self):
        errors = [told["exceptionDetails"] for told in self.page.told("Runtime.exceptionThrown")]
        # What was refused or lost was so on purpose, and is told of by the network.
        entries = [told["entry"] for told in self.page.told("Log.entryAdded")]
        errors += [entry for entry in entries if entry["level"] == "error" and entry["source"] != "network"]
        assert not errors, errors
        urls = [told["request"]["url"] for told in self.page.told("Network.requestWillBeSent")]
        strange = [url for url in urls if not url.startswith((self.server + "/", "data:"))]
        assert not strange, strange
        violations = self.state()["violations"]
        assert not violations, violations

    def fits(self, name):
        wide = self.page.value("document.documentElement.scrollWidth")
        if pictures := os.environ.get("PICTURES"):
            self.page.picture(Path(pictures, f"{name}.png"))
        assert wide <= WIDTH, f"{name}: {wide} pixels wide on a screen of {WIDTH}"

    def end(self):
        if hasattr(self, "page"):
            self.page.end()
        for process in reversed(self.running):
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    began = time.monotonic()
    # So that nothing is left running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    world = World(str(Path(sys.argv[1]).resolve()))
    steps = [
        ("sandbox and program", world.start),
        ("an employee logs in with a token", world.open_page),
        ("a client writes: the row appears by itself", world.client_writes),
        ("opened: what the client wrote, and when an autoreply goes out", world.open),
        ("the client writes again and sends a picture: what is being typed stays", world.typing_survives),
        ("the answer to the reply is lost: the page says so and keeps the text", world.answer_is_lost),
        ("sent once more: the client has it once, the page shows it as sent", world.answered_once),
        ("the login ends: what was typed is there after the next one", world.login_ends),
        ("a note, given back, taken, passed on", world.note),
        ("a picture is sent", world.picture),
        ("a voice message can be heard", world.voice),
        ("the client writes: it waits in the employee's own list, read", world.mine),
        ("the message is taken back", world.take_back),
        ("closed, with the closing text; the list shows it", world.close),
        ("a telephone rings: the page says who calls, and on which line", world.telephone_rings),
        ("\"call back\" from the list of calls", world.calls_back),
        ("no error on the page, no request to strangers", world.nothing_strange),
    ]
    try:
        for what, work in steps:
            print(f"== {what}", flush=True)
            start = time.monotonic()
            work()
            print(f"   ok, {time.monotonic() - start:.1f} s", flush=True)
    except Exception as error:
        traceback.print_exc()
        print(f"   FAILED: {error}", flush=True)
        for log in sorted(world.folder.glob("*.log")):
            print(f"-- the end of {log.name}\n{log.read_text(errors='replace')[-3000:]}", flush=True)
        return 1
    finally:
        world.end()
    print(f"all fine, {time.monotonic() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
