"""A PBX that asks who calls before it rings anybody, and tells of the call nothing but its states."""

import json

import checks
import stack
from stack import until

# The client who is in the CRM already, and who keeps them there.
CLIENT, NAME, PIN = "79990000003", "Мария Иванова", "23"
# The emulator starts functions for the first question: the provider's own time-out would be over.
WITHIN_MS = 5000
CHANNEL = f"""
[[channels]]
id = "vats"
provider = "rostelecom"
name = "Вторая АТС"
base = "/rostelecom"
answer_within_ms = {WITHIN_MS}

[[channels.secrets]]
client_id = "env:KEY"
sign_key = "env:SALT"

"""


def with_second_pbx(settings):
    """The demo's settings with a second PBX, whose questions are answered."""
    first = "[[scenarios]]\n"
    assert settings.count(first) == 1, "the demo has another number of scenarios"
    return settings.replace(first, f"{CHANNEL}{first}contact_manager = true\n")


def sandbox(world, what, body):
    checks.to_sandbox(world, f"rostelecom/sandbox/{what}", body)


def state(world):
    return stack.get_json(f"http://{world.sandbox}/rostelecom/sandbox/state")


def asks(world):
    """A known client calls: the PBX is told who that is and whom to ring, and the call is logged to them."""
    before = world.crm()
    urls = json.loads(world.cli("urls", "--json"))["urls"]
    address = next(it["url"] for it in urls if it["channel"] == "vats")
    sandbox(world, "address", {"address": address})
    sandbox(world, "manner", {"deadline_ms": 2 * WITHIN_MS})

    def placed():
        """One call more, until the function is warm."""
        known = len(state(world)["asked"])
        sandbox(world, "calls", {"what": "incoming", "client": CLIENT, "talk_s": 2})
        until("an answer", checks.PATIENCE, lambda: len(state(world)["asked"]) > known)
        return state(world)["asked"][-1]

    answers = [placed() for _ in range(3)]
    last = answers[-1]
    # Nobody of that PBX has the demo's internal number: it says so, and rings by its own rules.
    assert last["display_name"] == NAME and last["outcome"] == {"unknown_pin": {"pin": PIN}}, f"{answers}"
    status, text = checks.post(f"{address}/get_number_info", {"x-client-id": "x", "x-client-sign": "y"}, "{}")
    told = json.loads(text)
    assert status == 403 and told["PIN"] == told["displayName"] == "" and told["result"] != "0", f"{status} {text}"
    for answer in answers:
        until("the call is logged", 2 * checks.PATIENCE, lambda: checks.done(world, answer["session"], "vats"))
    world.settled()
    made = {kind: len(set(found) - set(before[kind])) for kind, found in world.crm().items()}
    assert made == {"contacts": 0, "leads": 3, "tasks": 0, "notes": 3}, f"{made}"
