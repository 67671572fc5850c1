"""HTTP clients of Python: clients.py CLIENT SCHEME BASE USER PASSWORD STEP...

A step is `METHOD PATH` or `METHOD PATH FILE`, where the file is the body. All steps are sent by one session, and what came
of each is printed on a line: the status and the body, or the error.
"""
import sys

client, scheme, base, user, password, *steps = sys.argv[1:]
SECONDS = 10


def requests_session(auth):
    import requests

    session = requests.Session()
    session.auth = auth

    def send(method, url, body):
        answer = session.request(method, url, data=body, timeout=SECONDS)
        return answer.status_code, answer.text

    return send


def digest_of_requests():
    from requests.auth import HTTPDigestAuth

    return requests_session(HTTPDigestAuth(user, password))


def requests_ntlm():
    from requests_ntlm import HttpNtlmAuth

    return requests_session(HttpNtlmAuth(user, password))


def requests_kerberos():
    from requests_kerberos import HTTPKerberosAuth, REQUIRED

    # Mutual authentication: the server proves itself as well.
    return requests_session(HTTPKerberosAuth(mutual_authentication=REQUIRED))


def httpx_digest():
    import httpx

    session = httpx.Client(auth=httpx.DigestAuth(user, password), follow_redirects=True, timeout=SECONDS)

    def send(method, url, body):
        answer = session.request(method, url, content=body)
        return answer.status_code, answer.text

    return send


def urllib_digest():
    import urllib.error
    import urllib.request

    accounts = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    accounts.add_password(None, base, user, password)
    opener = urllib.request.build_opener(urllib.request.HTTPDigestAuthHandler(accounts))

    def send(method, url, body):
        fields = {} if body is None else {"Content-Type": "application/octet-stream"}
        request = urllib.request.Request(url, data=body, method=method, headers=fields)
        try:
            with opener.open(request, timeout=SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""

    return send


def pywinrm():
    from winrm.protocol import Protocol

    def send(method, url, body):
        protocol = Protocol(
            endpoint=url,
            transport="kerberos" if scheme == "kerberos" else "ntlm",
            username=user,
            password=password,
            message_encryption="never",
            read_timeout_sec=SECONDS,
            operation_timeout_sec=SECONDS - 1,
        )
        answer = protocol.transport.send_message(body.decode())
        return 200, answer if isinstance(answer, str) else answer.decode()

    return send


send = {
    "requests": digest_of_requests,
    "requests-ntlm": requests_ntlm,
    "requests-ntlm-file": requests_ntlm,
    "requests-kerberos": requests_kerberos,
    "httpx": httpx_digest,
    "urllib": urllib_digest,
    "pywinrm": pywinrm,
}[client]()

for step in steps:
    method, path, *file = step.split(" ")
    try:
        if not file:
            body = None
        elif client.endswith("-file"):
            body = open(file[0], "rb")
        else:
            body = open(file[0], "rb").read()
        print(*send(method, base + path, body), flush=True)
    except Exception as error:
        print(type(error).__name__, str(error)[:300], flush=True)
