"""Policies, tried: a function that reaches for what it is not for is refused."""

import io
import json
import zipfile

from stack import STACK

# What a function's role may and may not: the call, and whether it is let through.
PROBES = {
    "Ingest": [("send", "Raw", True), ("send", "Event", False), ("get", None, False), ("secret", "keys/link", False)],
    "Verify": [
        ("secret", "channel/demo.main", True),
        ("secret", "connection/demo.crm+3Amain", False),
        ("secret", "keys/hook", False),
        ("send", "Crm", True),
        ("send", "Raw", False),
        ("query", None, False),
    ],
    "Route": [("get", None, True), ("query", None, False), ("secret", "channel/demo.main", False)],
    "Crm": [
        ("secret", "connection/demo.crm+3Amain", True),
        ("secret", "keys/link", True),
        ("secret", "keys/person", False),
        ("secret", "connection/demo.channel+3Amain", False),
        ("send", "Raw", False),
    ],
    "Outbound": [
        ("secret", "connection/demo.channel+3Amain", True),
        ("secret", "connection/demo.crm+3Amain", False),
        ("send", "Crm", False),
    ],
    "Wake": [("query", None, True), ("send", "Raw", False), ("secret", "channel/demo.main", False)],
    "Api": [
        ("secret", "keys/hook", True),
        ("secret", "channel/demo.main", False),
        ("secret", "connection/demo.crm+3Amain", False),
        ("send", "Event", True),
        ("scan", None, False),
    ],
}
PROBE = """
import boto3

def handler(event, context):
    call = getattr(boto3.client(event["service"]), event["call"])
    try:
        call(**event["with"])
        return "ok"
    except Exception as error:
        return getattr(error, "response", {}).get("Error", {}).get("Code", repr(error))
"""


def probes(world):
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("probe.py", PROBE)
    functions, iam = world.emulator.client("lambda"), world.emulator.client("iam")
    for name, attempts in PROBES.items():
        role = iam.get_role(RoleName=world.physical(f"{name}Role"))["Role"]["Arn"]
        probe = f"probe-{name}"
        functions.create_function(
            FunctionName=probe,
            Runtime="python3.12",
            Handler="probe.handler",
            Role=role,
            Code={"ZipFile": code.getvalue()},
            Timeout=30,
        )
        for kind, what, allowed in attempts:
            answer = functions.invoke(FunctionName=probe, Payload=json.dumps(attempt(world, kind, what)))
            result = json.loads(answer["Payload"].read())
            told = f"{name}: {kind} {what or ''} is answered with {result}"
            assert (result == "ok") if allowed else ("AccessDenied" in str(result)), told
        functions.delete_function(FunctionName=probe)


def attempt(world, kind, what):
    """An event for the probe."""
    table = {"TableName": world.outputs["TableName"]}
    key = {"pk": {"S": "nobody"}, "sk": {"S": "nothing"}}
    # It comes after everything is over: the probe is about being let through.
    message = {"QueueUrl": world.outputs.get(f"{what}QueueUrl"), "MessageBody": "{}", "DelaySeconds": 900}
    names = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "nobody"}}}
    service, call, arguments = {
        "send": lambda: ("sqs", "send_message", message),
        "secret": lambda: ("secretsmanager", "get_secret_value", {"SecretId": f"perezvon/{STACK}/{what}"}),
        "get": lambda: ("dynamodb", "get_item", table | {"Key": key}),
        "query": lambda: ("dynamodb", "query", table | names),
        "scan": lambda: ("dynamodb", "scan", table),
    }[kind]()
    return {"service": service, "call": call, "with": arguments}
