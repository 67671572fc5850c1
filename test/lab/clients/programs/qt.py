"""Qt's QNetworkAccessManager: qt.py CLIENT SCHEME BASE USER PASSWORD STEP..., as clients.py has them."""
import sys

from PyQt5.QtCore import QByteArray, QCoreApplication, QEventLoop, QTimer, QUrl
from PyQt5.QtNetwork import QNetworkAccessManager, QNetworkRequest

_client, _scheme, base, user, password, *steps = sys.argv[1:]
application = QCoreApplication([])
manager = QNetworkAccessManager()
asked = 0


def give_password(_reply, authenticator):
    # Qt asks for as long as it is given something new: as a person would, give up after a second time.
    global asked
    asked += 1
    if asked < 3:
        authenticator.setUser(user)
        authenticator.setPassword(password)


manager.authenticationRequired.connect(give_password)
for step in steps:
    method, path, *file = step.split(" ")
    asked = 0
    request = QNetworkRequest(QUrl(base + path))
    request.setAttribute(QNetworkRequest.FollowRedirectsAttribute, True)
    if file:
        request.setHeader(QNetworkRequest.ContentTypeHeader, "application/octet-stream")
        reply = manager.post(request, QByteArray(open(file[0], "rb").read()))
    else:
        reply = manager.get(request)
    loop = QEventLoop()
    reply.finished.connect(loop.quit)
    QTimer.singleShot(15_000, loop.quit)
    loop.exec_()
    status = reply.attribute(QNetworkRequest.HttpStatusCodeAttribute)
    print(status or reply.errorString(), bytes(reply.readAll()).decode(), flush=True)
