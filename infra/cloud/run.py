"""Deploys the stack to the emulator and checks, step by step, that it does what one machine does."""

import os
import shutil
import sys
import time
import traceback

import chats
import checks
import probes
import stack
import vats


def main():
    began = time.monotonic()
    running = []

    def step(what, work, *words):
        print(f"== {what}", flush=True)
        start = time.monotonic()
        result = work(*words)
        print(f"   ok, {time.monotonic() - start:.1f} s", flush=True)
        return result

    try:
        world = step("emulator, sandbox and the address in front of them", start, running)
        step("deployed without keys: hooks are answered with 503, and the alarm's metric counts", checks.no_keys, world)
        step("`perezvon keys`, deployed again; the owner's token; `perezvon apply --keys`", checks.settle_in, world)
        step("policies: a probe under each function's role is refused what the role is not for", probes.probes, world)
        step("a call whose summary never comes is posted (settled further below)", checks.post_silent, world)
        step("a chat: the messenger is told the address, a client writes, the first autoreply goes out", chats.post_chat, world)
        step("the demo's webhooks and, in the same batch, a poison message", checks.post_demo, world)
        step("records stand in the CRM exactly once, with reasons", checks.records, world)
        step("each webhook posted once more changes nothing", checks.again, world)
        step("a forged webhook waits in quarantine, and is released after the key is mended", checks.forged, world)
        step("a target of the bus saw the facts", checks.facts, world)
        step("the poison message is a dead letter, its neighbours passed", checks.poison, world)
        step("stopped in the middle of a call and started again: nothing is lost", checks.restart, world)
        step("the schedule of `wake` settled the call without a summary", checks.silent, world)
        step("the schedule of `auto-reply` brought the second autoreply, each went out once", chats.answered, world)
        step("the schedule of `auto-close` closed the chat, with its text once", chats.closed, world)
        step("a second PBX asks who calls, is answered in time, and its calls are logged", vats.asks, world)
    except Exception as error:
        if not isinstance(error, AssertionError):
            traceback.print_exc()
        print(f"   FAILED: {error}\n   logs: {stack.WORK}/*.log, those of functions in emulator.log", flush=True)
        time.sleep(int(os.environ.get("CLOUD_HOLD", 0)))
        return 1
    except KeyboardInterrupt:
        return 1
    finally:
        for process in reversed(running):
            process.end()
    print(f"all fine, {time.monotonic() - began:.0f} s", flush=True)
    return 0


def start(running):
    for log in stack.WORK.glob("*.log"):
        log.unlink()
    shutil.rmtree(stack.WORK / "code", ignore_errors=True)
    stack.stage()
    emulator = stack.Emulator()
    emulator.first_start()
    running.append(emulator)
    sandbox = f"127.0.0.1:{stack.free_port()}"
    running.append(stack.Process("sandbox", [str(stack.PEREZVON), "sandbox", "--listen", sandbox]))
    door = stack.Door(emulator)
    door.start()
    return checks.World(emulator, door, sandbox)


if __name__ == "__main__":
    sys.exit(main())
