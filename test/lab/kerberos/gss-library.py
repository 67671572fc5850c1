"""A GSSAPI library as it is, MIT krb5's or Heimdal's, without anything of sspi-auth: an acceptor or an initiator.

gss-library.py LIBRARY accept BINDINGS
    Reads batches from standard input: a count in four bytes (all numbers little-endian), then for each token one byte (1:
    the channel bindings with the application data BINDINGS are those of the connection), the length in four bytes and
    the token. Answers each token: GSS major and minor status, flags, the state of the PAC (0 none, 1 verified, 2 not
    verified), then text of the failure, name of the client and output token, each after its length, four bytes each.
gss-library.py LIBRARY initiate TARGET COUNT FLAGS
    Prints COUNT first tokens of Kerberos for a host-based service, in hexadecimal, one a line.

The keytab is that of KRB5_KTNAME, the tickets are those of KRB5CCNAME.
"""

import ctypes
import struct
import sys

POINTER = ctypes.c_void_p
STATUS = ctypes.c_uint32


class Data(ctypes.Structure):
    _fields_ = [("length", ctypes.c_size_t), ("value", POINTER)]

    def bytes(self):
        return ctypes.string_at(self.value, self.length) if self.length else b""


class Bindings(ctypes.Structure):
    _fields_ = [
        ("initiator_type", STATUS),
        ("initiator", Data),
        ("acceptor_type", STATUS),
        ("acceptor", Data),
        ("application", Data),
    ]


class Identifier(ctypes.Structure):
    _fields_ = [("length", STATUS), ("elements", POINTER)]


def data(value):
    """Keeps the bytes alive beside the structure that points to them."""
    kept = ctypes.create_string_buffer(value, len(value))
    found = Data(len(value), ctypes.cast(kept, POINTER))
    found.kept = kept
    return found


def identifier(value):
    kept = ctypes.create_string_buffer(value, len(value))
    found = Identifier(len(value), ctypes.cast(kept, POINTER))
    found.kept = kept
    return found


library = ctypes.CDLL(sys.argv[1])
KERBEROS = identifier(bytes.fromhex("2a864886f712010202"))
HOST_BASED_SERVICE = identifier(bytes.fromhex("2a864886f712010201" "04"))
ref = ctypes.byref
minor = STATUS()


def text_of(status, kind):
    output, more = Data(), STATUS()
    if library.gss_display_status(ref(minor), STATUS(status), kind, ref(KERBEROS), ref(more), ref(output)) != 0:
        return b"?"
    text = output.bytes()
    library.gss_release_buffer(ref(minor), ref(output))
    return text


def pac_of(name):
    """The state of the PAC: only MIT krb5 tells it."""
    attribute = data(b"urn:mspac:")
    authenticated, complete, more = ctypes.c_int(), ctypes.c_int(), ctypes.c_int(-1)
    value, display = Data(), Data()
    major = library.gss_get_name_attribute(
        ref(minor), name, ref(attribute), ref(authenticated), ref(complete), ref(value), ref(display), ref(more)
    )
    library.gss_release_buffer(ref(minor), ref(value))
    library.gss_release_buffer(ref(minor), ref(display))
    return 0 if major != 0 else 1 if authenticated.value else 2


def accept(credential, token, bindings):
    context, client, mechanism = POINTER(), POINTER(), POINTER()
    received, output, name = data(token), Data(), Data()
    flags, failed, pac = STATUS(), STATUS(), 0
    major = library.gss_accept_sec_context(
        ref(failed), ref(context), credential, ref(received), bindings, ref(client), ref(mechanism),
        ref(output), ref(flags), None, None,
    ) & 0xFFFFFFFF
    text, answer = b"", output.bytes()
    if major == 0:
        library.gss_display_name(ref(minor), client, ref(name), None)
        pac = pac_of(client) if hasPac else 0
    else:
        text = text_of(major, 1) + b": " + text_of(failed.value, 2)
    principal = name.bytes()
    library.gss_release_buffer(ref(minor), ref(name))
    library.gss_release_buffer(ref(minor), ref(output))
    if client:
        library.gss_release_name(ref(minor), ref(client))
    if context:
        library.gss_delete_sec_context(ref(minor), ref(context), None)
    parts = b"".join(struct.pack("<I", len(part)) + part for part in (text, principal, answer))
    return struct.pack("<IIII", major, failed.value, flags.value, pac) + parts


def run_acceptor(application_data):
    credential = POINTER()
    if library.gss_acquire_cred(ref(minor), None, STATUS(0xFFFFFFFF), None, 2, ref(credential), None, None) != 0:
        sys.exit("no credential: %s" % text_of(minor.value, 2))
    application = data(application_data)
    bindings = Bindings(0, Data(), 0, Data(), application)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(4):
        for _ in range(struct.unpack("<I", head)[0]):
            bound, length = struct.unpack("<BI", source.read(5))
            sink.write(accept(credential, source.read(length), ref(bindings) if bound else None))
        sink.flush()


def run_initiator(target, count, flags):
    name, named = POINTER(), data(target.encode())
    if library.gss_import_name(ref(minor), ref(named), ref(HOST_BASED_SERVICE), ref(name)) != 0:
        sys.exit("no name")
    for _ in range(count):
        context, output = POINTER(), Data()
        major = library.gss_init_sec_context(
            ref(minor), None, ref(context), name, ref(KERBEROS), STATUS(flags), STATUS(0), None, None, None,
            ref(output), None, None,
        )
        if major & 0xFFFF0000:
            sys.exit("no token: %s" % text_of(minor.value, 2).decode())
        print(output.bytes().hex())
        library.gss_delete_sec_context(ref(minor), ref(context), None)


hasPac = "krb5" in sys.argv[1]
if sys.argv[2] == "accept":
    run_acceptor(sys.argv[3].encode())
else:
    run_initiator(sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
