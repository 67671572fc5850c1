"""libsoup 3: soup.py CLIENT SCHEME BASE USER PASSWORD STEP..., as clients.py has them."""
import sys

import gi

gi.require_version("Soup", "3.0")
from gi.repository import GLib, Soup  # noqa: E402

_client, scheme, base, user, password, *steps = sys.argv[1:]
session = Soup.Session()
session.set_property("timeout", 15)
if scheme in ("ntlm", "negotiate-ntlm", "everything"):
    session.add_feature_by_type(Soup.AuthNTLM)
if scheme in ("kerberos", "scheme-kerberos", "negotiate-ntlm", "everything"):
    session.add_feature_by_type(Soup.AuthNegotiate)


def authenticate(_message, authentication, retrying):
    if retrying:
        return False
    authentication.authenticate(user, password)
    return True


for step in steps:
    method, path, *file = step.split(" ")
    message = Soup.Message.new(method, base + path)
    message.connect("authenticate", authenticate)
    if file:
        message.set_request_body_from_bytes("application/octet-stream", GLib.Bytes.new(open(file[0], "rb").read()))
    try:
        body = session.send_and_read(message, None)
        print(int(message.get_status()), body.get_data().decode(), flush=True)
    except GLib.Error as error:
        print("GLib.Error", error.message, flush=True)
