"""Fills a freshly provisioned domain: users, a group, the web service's principals and its keytab.

Usage: samba-ad-seed.py KEYTAB. One process with Samba's own modules: samba-tool needs a second for each call.
The passwords are those of test/lab/samba-ad.ts, read as JSON from standard input: {"user": "password"}.
"""

import json
import sys

import samba.dckeytab  # noqa: F401  (gives Net its export_keytab)
from samba.auth import system_session
from samba.net import Net
from samba.param import LoadParm
from samba.samdb import SamDB

keytab = sys.argv[1]
passwords = json.load(sys.stdin)

parameters = LoadParm()
parameters.load("/etc/samba/smb.conf")
directory = SamDB(session_info=system_session(), lp=parameters)

for user, password in passwords.items():
    directory.newuser(user, password, givenname=user.capitalize(), mailaddress=user + "@corp.example.test")
directory.newgroup("Engineering")
directory.add_remove_group_members("Engineering", ["alice"])
directory.disable_account("(sAMAccountName=dave)")

# 28: RC4, AES-128 and AES-256 (MS-KILE 2.2.7); without it Samba gives a user's services RC4 tickets only.
# 66048: a normal account whose password does not expire.
directory.modify_ldif(
    """dn: CN=svc-web,CN=Users,%s
changetype: modify
add: servicePrincipalName
servicePrincipalName: HTTP/localhost
servicePrincipalName: HTTP/web.corp.example.test
servicePrincipalName: HTTP/web
-
replace: msDS-SupportedEncryptionTypes
msDS-SupportedEncryptionTypes: 28
-
replace: userAccountControl
userAccountControl: 66048
"""
    % directory.domain_dn()
)

net = Net(None, parameters)
for principal in ("HTTP/localhost", "HTTP/web.corp.example.test", "svc-web"):
    net.export_keytab(keytab=keytab, principal=principal)
