"""What is checked, in the order of run.py."""

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request

import chats
import stack
import vats
from stack import ENV, STACK, perezvon, until

# What `perezvon sandbox` takes and signs with.
TOKEN = "sandbox-token"
KEY = "abcdefghijklmnopqrstuvwxyz012345"
SALT = "543210zyxwvutsrqponmlkjihgfedcba"
# Another salt, that the provider changed to before anybody told us.
NEW_SALT = "another-salt-another-salt-012345"
# A call without a summary waits longer than anybody looks ahead: nothing but the schedule can bring it back.
LOOK_AHEAD_MS, FINAL_AFTER_MS = 60_000, 90_000
# Until somebody sees what was posted: ten functions of a debug build may start first.
PATIENCE = 60
# What a call of a known client comes to, answered and not.
ANSWERED = {"contacts": 0, "leads": 1, "tasks": 0, "notes": 1}
SILENT = {"contacts": 0, "leads": 1, "tasks": 1, "notes": 1}
QUEUES = ["Raw", "Event", "Crm", "Outbound"]
# Seconds until a message that failed, or whose worker died, comes back: shorter than in the template, because the
# poison message comes five times and the emulator is stopped in the middle of the work.
COMES_BACK_AFTER = {"Raw": 5, "Event": 40, "Crm": 70, "Outbound": 70}


class World:
    """Everything that runs, and what the steps tell each other."""

    def __init__(self, emulator, door, sandbox):
        self.emulator, self.door, self.sandbox = emulator, door, sandbox
        self.sqs = emulator.client("sqs")
        self.outputs = {}
        self.token = None
        self.hook = None

    def deploy(self):
        self.outputs = stack.deploy(self.emulator)
        self.door.api = urllib.parse.urlparse(self.outputs["ApiEndpoint"]).hostname.split(".")[0]

    def physical(self, name):
        """The id of a resource of the template."""
        found = self.emulator.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=name)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def cli(self, *words, **more):
        """Our command line against the stack."""
        env = {"PEREZVON_TOKEN": self.token, "KEY": KEY, "SALT": SALT, "TOKEN": TOKEN} | more.pop("env", {})
        return perezvon(*words, "--server", self.door.url, env=env, **more)

    def api(self, path):
        url = f"{self.door.url}/api/v1/accounts/demo/{path}"
        return stack.get_json(url, {"authorization": f"Bearer {self.token}"})

    def crm(self):
        """What stands in the sandbox CRM: ids, which say that nothing was made anew as well."""
        state = stack.get_json(f"http://{self.sandbox}/sandbox/state")
        return {kind: ids(state[kind]) for kind in ["contacts", "leads", "tasks", "notes"]}

    def waiting(self, name, *kinds):
        """How many messages a queue has of these kinds."""
        url = self.outputs.get(f"{name}QueueUrl") or self.physical(name)
        names = [f"ApproximateNumberOfMessages{kind}" for kind in kinds or ("", "NotVisible")]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(count) for count in found.values())

    def settled(self, *kinds, seconds=PATIENCE):
        """Nothing is on its way, but for what waits for its time."""
        quiet = 0

        def still():
            nonlocal quiet
            quiet = 0 if any(self.waiting(name, *kinds) for name in QUEUES) else quiet + 1
            return quiet >= 6

        until("the queues are empty", seconds, still)


def ids(entities):
    """Of a list of entities, or of a map by id."""
    return sorted(map(str, entities)) if isinstance(entities, dict) else sorted(str(it["id"]) for it in entities)


def post(url, headers, body):
    """The status of an answer, and its text."""
    request = urllib.request.Request(url, body.encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def demo_calls(salt=SALT):
    """The webhooks of the demo's calls, signed, as if the calls ended now. Ids are made from the second."""
    time.sleep(1.01 - time.time() % 1)
    lines = perezvon("sign", "mango", "--demo", "--key", KEY, "--salt", salt).splitlines()
    return [json.loads(line) for line in lines]


def send(world, webhooks):
    for webhook in webhooks:
        status, text = post(f"{world.hook}/{webhook['path']}", webhook["headers"], webhook["body"])
        assert status == 200, f"a webhook was answered with {status}: {text}"


def no_keys(world):
    stack.configure(
        Architecture="x86_64",
        PublicUrl=world.door.url,
        AllowHosts=world.sandbox,
        FactsToQueue="true",
        IngestConcurrency=0,
        Times=f"look_ahead_ms={LOOK_AHEAD_MS},moved_by_ms={2 * LOOK_AHEAD_MS}",
    )
    world.deploy()
    status, text = post(f"{world.door.url}/h/anything/events/call", {"content-type": "text/plain"}, "x")
    assert status == 503 and "perezvon keys" in text, f"{status} {text}"
    logs = world.emulator.client("logs")
    seen = until("an error in the log of `ingest`", 20, lambda: said(logs, "ingest", "there are no hook keys"))
    assert json.loads(seen[0])["level"] == "ERROR", f"the alarm's filter does not fit: {seen}"


def said(logs, function, text):
    """The lines of a function's log with this text."""
    group = f"/aws/lambda/{STACK}-{function}"
    events = logs.filter_log_events(logGroupName=group)["events"]
    return [event["message"] for event in events if text in event["message"]]


def settle_in(world):
    older, key = stack.WORK / "older.key", stack.WORK / "hook.key"
    for out in (older, key):
        out.unlink(missing_ok=True)
        perezvon("keys", "--config", stack.WORK / "samconfig.toml", "--config-env", ENV, "--out", out)
        assert out.stat().st_mode & 0o777 == 0o600, "the private half is for its owner only"
    world.deploy()
    secret = world.emulator.client("secretsmanager").get_secret_value(SecretId=f"perezvon/{STACK}/keys/person")
    world.token = perezvon("token", "--person-key", "-", given=secret["SecretString"]).strip()
    # Both keys of the ring are good, and the last one that came up signs.
    apply(world, "--keys", older)
    apply(world, "--keys", key)
    urls = json.loads(world.cli("urls", "--json"))["urls"]
    world.hook = urls[0]["url"]
    assert world.hook.startswith(f"{world.door.url}/h/h1"), world.hook
    status, _ = post(f"{world.door.url}/h/h1AAAA/events/call", {"content-type": "text/plain"}, "x")
    assert status == 404, f"a stranger was answered with {status}"


def apply(world, *words, salts=(SALT,)):
    """The demo's settings, with addresses of the sandbox outside."""
    text = (stack.ROOT / "infra/perezvon/src/demo/settings.toml").read_text()
    base = f"http://{world.sandbox}"
    text = vats.with_second_pbx(text).replace('base = "/', f'base = "{base}/')
    text = text.replace('provider = "amocrm"', f'provider = "amocrm"\nbase = "{base}"')
    text = text.replace("final_after_legs_ended_ms = 2000", f"final_after_legs_ended_ms = {FINAL_AFTER_MS}")
    both = "\n".join(f'[[channels.secrets]]\nkey = "env:KEY"\nsalt = "{salt}"\n' for salt in salts)
    text = text.replace('[[channels.secrets]]\nkey = "env:KEY"\nsalt = "env:SALT"\n', both)
    (stack.WORK / "settings.toml").write_text(chats.with_second_step(text))
    world.cli("apply", "settings.toml", *words)


def post_silent(world):
    calls = demo_calls()
    webhooks = [it for it in calls if it["call"] == 1 and it["path"] != "events/summary"]
    assert webhooks and len(webhooks) < len([it for it in calls if it["call"] == 1]), "the call has a summary"
    world.silent, world.silent_at = webhooks[0]["entry"], time.monotonic()
    send(world, webhooks)
    until("the call stands in the feed", PATIENCE, lambda: call(world, world.silent))


def call(world, entry, channel="main"):
    """A call as people see it; `None`: nothing is known of it."""
    try:
        return world.api(f"calls/{urllib.parse.quote(f'{channel}:{entry}', safe='')}")
    except urllib.error.HTTPError as error:
        assert error.code == 404, f"the call is answered with {error.code}"
        return None


def done(world, entry, channel="main"):
    """The call, once everything it comes to stands in the CRM."""
    found = call(world, entry, channel)
    row = found["call"] if found else {}
    # The record of the call comes last.
    return found if row.get("contact") and row.get("note") else None


def stored(world, entry):
    """The sound of the call's recording, by the link that stands in the CRM."""
    recordings = call(world, entry)["recordings"]
    if not recordings or not recordings[0].get("link"):
        return None
    link = urllib.parse.urljoin(world.door.url, recordings[0]["link"])
    with urllib.request.urlopen(link, timeout=30) as answer:
        return answer.read()


def post_demo(world):
    # A client who is in the CRM already.
    phone = {"field_code": "PHONE", "values": [{"value": "+79990000003", "enum_code": "WORK"}]}
    known = [{"name": "Мария Иванова", "responsible_user_id": 504002, "custom_fields_values": [phone]}]
    to_sandbox(world, "api/v4/contacts", known)
    for name, seconds in COMES_BACK_AFTER.items():
        url = world.outputs[f"{name}QueueUrl"]
        world.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})
    raw = world.outputs["RawQueueUrl"]
    neighbours = [it for it in demo_calls() if it["call"] == 3]
    bodies = ["this is no webhook", *(json.dumps(raw_message(it)) for it in neighbours)]
    entries = [{"Id": str(n), "MessageBody": body, "MessageGroupId": "demo.main"} for n, body in enumerate(bodies)]
    world.sqs.send_message_batch(QueueUrl=raw, Entries=entries)
    world.demo = demo_calls()
    send(world, world.demo)
    world.neighbour = neighbours[0]["entry"]
    world.entries = {it["call"]: it["entry"] for it in world.demo}


def to_sandbox(world, path, body):
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    request = urllib.request.Request(f"http://{world.sandbox}/{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status < 300, f"{path}: {answer.status}"


def raw_message(webhook):
    """As `ingest` puts a webhook onto the raw queue."""
    return {
        "id": f"{webhook['entry']}-{webhook['at_ms']}",
        "account": "demo",
        "channel": "main",
        "generation": 1,
        "path": webhook["path"],
        "headers": webhook["headers"],
        "body": base64.b64encode(webhook["body"].encode()).decode(),
        "received_at": int(time.time() * 1000),
    }


def records(world):
    for number, entry in world.entries.items():
        until(f"records of call {number}", PATIENCE, lambda: done(world, entry))
    until("the recording is stored", PATIENCE, lambda: stored(world, world.entries[2]))
    until("records of the poison message's neighbour", PATIENCE, lambda: done(world, world.neighbour))
    world.settled()
    counts = {kind: len(found) for kind, found in world.crm().items()}
    # Two new clients and the known one; four calls; one was missed.
    assert counts == {"contacts": 3, "leads": 4, "tasks": 1, "notes": 4}, f"{counts}"
    story = world.cli("explain", f"main:{world.entries[1]}")
    assert story.strip(), "the call has no explanation"


def again(world):
    before = world.crm()
    send(world, world.demo)
    world.settled()
    assert world.crm() == before, "something was made twice"


def forged(world):
    before = world.crm()
    webhooks = [it for it in demo_calls(NEW_SALT) if it["call"] == 1]
    send(world, webhooks)

    def held():
        found = json.loads(world.cli("quarantine", "list", "--json"))["requests"]
        return found if len(found) == len(webhooks) else None

    until("all of them in quarantine", PATIENCE, held)
    entry = webhooks[0]["entry"]
    assert call(world, entry) is None, "a forged webhook made a call"
    apply(world, salts=(NEW_SALT, SALT))
    world.cli("quarantine", "release", "--channel", "main")
    until("the call of the released webhooks", PATIENCE, lambda: done(world, entry))
    world.settled()
    made = {kind: len(set(found) - set(before[kind])) for kind, found in world.crm().items()}
    # The client is known by now: a missed call is a task then.
    assert made == {"contacts": 0, "leads": 0, "tasks": 1, "notes": 1}, f"{made}"
    # The sandbox's PBX never knew the other salt, and is asked things later on.
    apply(world)


def facts(world):
    seen = {}

    def look():
        url = world.outputs["FactsQueueUrl"]
        found = world.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            event = json.loads(message["Body"])
            told = event["detail"]
            seen.setdefault(told.get("entry") or told["chat"], []).append(event["detail-type"])
        return {world.chat, *world.entries.values()} <= set(seen)

    until("facts of all calls and of the chat", PATIENCE, look)
    assert "CallMissed" in seen[world.entries[1]] and "ConversationOpened" in seen[world.chat], f"{seen}"


def poison(world):
    dead = world.physical("RawDead")
    names = ["ApproximateNumberOfMessages"]
    count = lambda: int(world.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=names)["Attributes"][names[0]])
    until("a dead letter", PATIENCE, count)
    letters = world.sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, VisibilityTimeout=1)["Messages"]
    assert [it["Body"] for it in letters] == ["this is no webhook"], f"{letters}"


def made_once(world):
    """Since `before_stop` the CRM has got what one answered call comes to, and the silent one once it is done."""

    def exactly():
        found = {kind: len(set(ids) - set(world.before_stop[kind])) for kind, ids in world.crm().items()}
        calls = [ANSWERED, SILENT] if done(world, world.silent) else [ANSWERED]
        world.made = found
        return found == {kind: sum(call[kind] for call in calls) for kind in found}

    try:
        until("what was made is what the calls come to", PATIENCE, exactly)
    except AssertionError as error:
        raise AssertionError(f"{error}; made: {world.made}") from None


def restart(world):
    world.before_stop = world.crm()
    feed = [row["id"] for row in world.api("calls")["calls"]]
    webhooks = [it for it in demo_calls() if it["call"] == 2]
    half = len(webhooks) // 2
    send(world, webhooks[:half])
    world.emulator.end()
    world.emulator.start()
    send(world, webhooks[half:])
    # A worker that died with the emulator is waited for: its lease first, then the next pass of `wake`.
    until("the call that was under way", 3 * PATIENCE, lambda: done(world, webhooks[0]["entry"]))
    # What was in somebody's hands comes back when its time is up; the last step waits for it.
    world.settled("")
    # A worker that died and its lease take minutes: the silent call may come to its end meanwhile.
    made_once(world)
    missing = set(feed) - {row["id"] for row in world.api("calls")["calls"]}
    assert not missing, f"lost: {missing}"
    poison(world)


def silent(world):
    # The PBX is asked how it went, and knows nothing of a call that was only posted.
    left = FINAL_AFTER_MS / 1000 + 135 - (time.monotonic() - world.silent_at)
    until("the call is settled", max(left, 20), lambda: done(world, world.silent), every=2)
    world.settled(seconds=240)
    made_once(world)
    logs = world.emulator.client("logs")
    passes = [json.loads(line)["calls"] for line in said(logs, "wake", '"message":"swept"')]
    assert any(passes), f"no pass of `wake` found a call that was due: {passes}"
