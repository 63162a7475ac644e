"""A chat of a messenger, from the push to the closing."""

import json
import time
import urllib.parse
import zlib

import checks
import stack
from stack import until

USER = 100000001
# That of the demo. It is within the look-ahead: a delayed message of the commit brings it.
SOON = "Здравствуйте! Ответим в течение нескольких минут."
# Beyond it: nothing but `auto-reply` can bring it.
LATE = ("Простите, все заняты. Мы о вас помним.", 100)
# That of the demo, after two days.
CLOSING = "Если остались вопросы, напишите нам снова."
TWO_DAYS_MS = 2 * 24 * 3600 * 1000
# A moment of ours, in milliseconds, is larger than any other number in a conversation.
SMALLEST_MOMENT = 1_500_000_000_000


def with_second_step(settings):
    """The demo's settings with one autoreply more."""
    last = f'{{ text = "{SOON}", delay = "1s" }}'
    assert last in settings, "the autoreply of the demo is another one"
    return settings.replace(last, f'{last}, {{ text = "{LATE[0]}", delay = "{LATE[1]}s" }}')


def state(world):
    return stack.get_json(f"http://{world.sandbox}/avito/sandbox/state")


def ours(world):
    """What stands in the chat under our name, oldest first."""
    chats = {chat["id"]: chat for chat in state(world)["chats"]}
    return [it["text"] for it in chats[world.chat]["messages"] if it["author_id"] == USER]


def post_chat(world):
    until("the messenger was told where to post", checks.PATIENCE, lambda: state(world)["subscriptions"])
    checks.to_sandbox(world, "avito/sandbox/messages", {"text": "Здравствуйте! Ещё продаёте?"})
    world.chat = state(world)["chats"][-1]["id"]
    world.chat_at = time.monotonic()
    until("the first autoreply", checks.PATIENCE, lambda: ours(world))
    assert ours(world) == [SOON], f"{ours(world)}"


def conversation(world):
    chat = urllib.parse.quote(f"ads:{world.chat}", safe="")
    return world.api(f"conversations/{chat}")


def answered(world):
    left = LATE[1] + 75 - (time.monotonic() - world.chat_at)
    until("the second autoreply, by the schedule", max(left, 20), lambda: len(ours(world)) > 1, every=2)
    world.settled()
    assert ours(world) == [SOON, LATE[0]], f"{ours(world)}"
    passes = passed(world, "auto-reply")
    assert any(passes), f"no pass of `auto-reply` found a conversation: {passes}"


def passed(world, function):
    """How many conversations each pass of a sweep found."""
    logs = world.emulator.client("logs")
    group = f"/aws/lambda/{stack.STACK}-{function}"
    lines = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
    return [json.loads(line)["conversations"] for line in lines if '"message":"swept"' in line]


def closed(world):
    """Nobody waits two days here, so the conversation is made that much older in the table."""
    table, key, item = row(world)
    moved = older(json.loads(unpacked(item["state"])))
    due = int(item["close_due"]["N"])
    world.emulator.client("dynamodb").update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET #state = :state, close_due = :due",
        ConditionExpression="#version = :version",
        ExpressionAttributeNames={"#state": "state", "#version": "version"},
        ExpressionAttributeValues={
            ":state": {"S": json.dumps(moved, ensure_ascii=False)},
            ":due": {"N": str(due - TWO_DAYS_MS)},
            ":version": item["version"],
        },
    )
    until("closed by time", 90, lambda: conversation(world)["conversation"]["state"] == "closed", every=2)
    until("the closing text", checks.PATIENCE, lambda: len(ours(world)) > 2)
    world.settled()
    assert ours(world) == [SOON, LATE[0], CLOSING], f"{ours(world)}"
    told = conversation(world)["conversation"]
    assert told["cause"] == "time_out", f"{told}"
    assert any(passed(world, "auto-close")), "no pass of `auto-close` found the conversation"


def row(world):
    dynamo = world.emulator.client("dynamodb")
    table = world.physical("Table")
    rows = dynamo.scan(TableName=table)["Items"]
    found = [it for it in rows if it["pk"]["S"].startswith("demo#chat#ads#") and it["sk"]["S"] == "item"]
    assert len(found) == 1, f"{len(found)} conversations"
    return table, {"pk": found[0]["pk"], "sk": found[0]["sk"]}, found[0]


def unpacked(value):
    """JSON of a row: text, or the number of a list of words and a DEFLATE stream with that dictionary."""
    if "S" in value:
        return value["S"]
    packed = bytes(value["B"])
    words = (stack.ROOT / f"shared/store/src/items/words_{packed[0]}.txt").read_bytes()
    return zlib.decompressobj(-15, zdict=words).decompress(packed[1:]).decode()


def older(value):
    if isinstance(value, dict):
        # Jobs are named by their time: the last one stays where it is.
        return {name: inner if name == "last_job" else older(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [older(inner) for inner in value]
    is_moment = isinstance(value, int) and not isinstance(value, bool) and value > SMALLEST_MOMENT
    return value - TWO_DAYS_MS if is_moment else value
