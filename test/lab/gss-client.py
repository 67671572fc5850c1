"""An initiator of MIT krb5 (python3-gssapi) for tests: one JSON command a line in, one JSON answer a line out."""
import base64
import json
import sys

import gssapi
from gssapi.raw.chan_bindings import ChannelBindings

MECHS = {
    "kerberos": gssapi.OID.from_int_seq("1.2.840.113554.1.2.2"),
    "spnego": gssapi.OID.from_int_seq("1.3.6.1.5.5.2"),
    "ntlm": gssapi.OID.from_int_seq("1.3.6.1.4.1.311.2.2.10"),
}
context = None


def decode(text):
    return base64.b64decode(text)


def encode(data):
    return base64.b64encode(data or b"").decode()


def credentials(mech, offer):
    """Those of the environment; SPNEGO offers the mechanisms of the list and no others."""
    if offer is None:
        return None
    found = gssapi.Credentials(usage="initiate", mechs=[mech])
    gssapi.raw.set_neg_mechs(found, [MECHS[name] for name in offer])
    return found


def init(command):
    global context
    name = gssapi.Name(command["target"], gssapi.NameType.hostbased_service)
    flags = [getattr(gssapi.RequirementFlag, flag) for flag in command["flags"]]
    bindings = None
    if "bindings" in command:
        bindings = ChannelBindings(application_data=decode(command["bindings"]))
    mech = MECHS[command["mech"]]
    context = gssapi.SecurityContext(
        name=name,
        flags=flags,
        mech=mech,
        usage="initiate",
        creds=credentials(mech, command.get("offer")),
        channel_bindings=bindings,
    )
    return {"token": encode(context.step()), "complete": context.complete}


def step(command):
    return {"token": encode(context.step(decode(command["token"]))), "complete": context.complete}


def wrap(command):
    result = context.wrap(decode(command["data"]), command.get("encrypt", True))
    return {"data": encode(result.message)}


def unwrap(command):
    result = context.unwrap(decode(command["data"]))
    return {"data": encode(result.message), "encrypted": result.encrypted}


def sign(command):
    return {"mic": encode(context.get_signature(decode(command["data"])))}


def verify(command):
    context.verify_signature(decode(command["data"]), decode(command["mic"]))
    return {"verified": True}


COMMANDS = {"init": init, "step": step, "wrap": wrap, "unwrap": unwrap, "sign": sign, "verify": verify}

for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = COMMANDS[command["command"]](command)
    except Exception as error:
        answer = {"error": str(error)}
    print(json.dumps({"id": command["id"], **answer}), flush=True)
