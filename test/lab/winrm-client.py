"""Sends encrypted messages as WinRM clients do, by Debian's pywinrm.

winrm-client.py ntlm|kerberos URL USER PASSWORD MESSAGE...

Prints each answer as one line of JSON, or the name of the exception.

NTLM is all pywinrm's. For Kerberos Debian's python3-kerberos lacks the functions that pywinrm asks for; here they are
gss_wrap_iov and gss_unwrap_iov of libgssapi, by python3-gssapi, in the form in which pykerberos calls them. The messages
are pywinrm's.
"""
import base64
import json
import sys
import warnings

import requests
from winrm.encryption import Encryption
from winrm.transport import Transport

warnings.simplefilter("ignore")
SECONDS = 20


def gssapi_auth():
    import gssapi
    from gssapi.raw import IOV, IOVBufferType, unwrap_iov, wrap_iov

    flags = gssapi.RequirementFlag

    class Auth(requests.auth.AuthBase):
        context = None

        def __call__(self, request):
            if self.context is None:
                self.context = gssapi.SecurityContext(
                    name=gssapi.Name("HTTP@localhost", gssapi.NameType.hostbased_service),
                    usage="initiate",
                    mech=gssapi.OID.from_int_seq("1.3.6.1.5.5.2"),
                    flags=[flags.mutual_authentication, flags.out_of_sequence_detection],
                )
                token = base64.b64encode(self.context.step()).decode()
                request.headers["Authorization"] = "Negotiate " + token
                request.register_hook("response", self.answered)
            return request

        def answered(self, response, **_):
            response.raise_for_status()
            self.context.step(base64.b64decode(response.headers["WWW-Authenticate"].split()[1]))
            return response

        def wrap_winrm(self, _host, message):
            iov = IOV(IOVBufferType.header, message, IOVBufferType.padding, std_layout=False)
            wrap_iov(self.context, iov)
            return iov[1].value + (iov[2].value or b""), iov[0].value

        def unwrap_winrm(self, _host, message, header):
            iov = IOV((IOVBufferType.header, False, header), message, std_layout=False)
            unwrap_iov(self.context, iov)
            return iov[1].value

    return Auth()


def kerberos(url):
    session = requests.Session()
    session.trust_env = False
    session.auth = gssapi_auth()
    session.headers["Content-Type"] = "application/soap+xml;charset=UTF-8"
    # As pywinrm: an empty message first, to sign in.
    session.post(url, data=None, timeout=SECONDS)
    encryption = Encryption(session, "kerberos")

    def send(message):
        request = encryption.prepare_encrypted_request(session, url, message.encode())
        response = session.send(request, timeout=SECONDS)
        response.raise_for_status()
        return encryption.parse_encrypted_response(response)

    return send


def ntlm(url, user, password):
    return Transport(
        endpoint=url,
        username=user,
        password=password,
        auth_method="ntlm",
        message_encryption="always",
        read_timeout_sec=SECONDS,
    ).send_message


method, url, user, password, *messages = sys.argv[1:]
try:
    send = kerberos(url) if method == "kerberos" else ntlm(url, user, password)
    for message in messages:
        text, _, count = message.partition("*")
        answer = send(text * int(count or 1))
        print(json.dumps(answer if isinstance(answer, str) else answer.decode()))
except Exception as error:
    print(json.dumps({"error": type(error).__name__}))
