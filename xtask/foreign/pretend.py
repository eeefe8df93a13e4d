"""Runs a program where PagerDuty's hosts are `im sim`: their names, https and a certificate. So
clients run unchanged that have these hosts compiled in.

Usage: pretend.py IM PROGRAM [ARGUMENT...]
The program finds what `im --json sim` says of itself in IM_SIM. Names, network and the stand-in end
with it: they are in namespaces of their own.
"""

import fcntl
import http.client
import os
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOSTS = ["api.pagerduty.com", "events.pagerduty.com", "identity.pagerduty.com"]
SIM_PORT = 8081

if os.environ.get("IM_PRETEND") != "1":
    os.environ["IM_PRETEND"] = "1"
    unshare = ["unshare", "--map-root-user", "--mount", "--net"]
    os.execvp("unshare", [*unshare, sys.executable, __file__, *sys.argv[1:]])

im, program = sys.argv[1], sys.argv[2:]


def loopback_up():
    """A new network has a loopback device, but it is down."""
    set_flags, up_and_running = 0x8914, 0x41
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh", b"lo", up_and_running))


class Proxy(BaseHTTPRequestHandler):
    """What comes by https goes on by http, unchanged."""

    protocol_version = "HTTP/1.1"
    kept_back = {"connection", "content-length", "transfer-encoding"}

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        to = http.client.HTTPConnection("127.0.0.1", SIM_PORT)
        to.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in self.kept_back:
                to.putheader(name, value)
        if body or self.command in ("POST", "PUT"):
            to.putheader("Content-Length", str(len(body)))
        to.endheaders(body)
        reply = to.getresponse()
        answer = reply.read()
        self.send_response_only(reply.status, reply.reason)
        for name, value in reply.getheaders():
            if name.lower() not in self.kept_back:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        to.close()

    do_DELETE = do_GET = do_POST = do_PUT = pass_on

    def log_message(self, *_):
        pass


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def certify(folder):
    """An authority of two days and a certificate of its own for the hosts."""
    at = lambda name: os.path.join(folder, name)
    names = ",".join(f"DNS:{host}" for host in HOSTS)
    with open(at("extensions"), "w", encoding="utf-8") as file:
        file.write(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
    authority = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
    new = ["-newkey", "rsa:2048", "-nodes"]
    openssl("req", "-x509", *new, "-days", "2", "-subj", "/CN=im sim", "-keyout", at("ca.key"), "-out", at("ca.pem"), *authority)
    openssl("req", *new, "-subj", f"/CN={HOSTS[0]}", "-keyout", at("key.pem"), "-out", at("request.pem"))
    signer = ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial"]
    openssl("x509", "-req", "-in", at("request.pem"), *signer, "-days", "2", "-out", at("certificate.pem"), "-extfile", at("extensions"))
    return at("ca.pem"), at("certificate.pem"), at("key.pem")


with tempfile.TemporaryDirectory() as folder:
    loopback_up()
    hosts = os.path.join(folder, "hosts")
    with open(hosts, "w", encoding="utf-8") as file:
        file.write("127.0.0.1 localhost " + " ".join(HOSTS) + "\n")
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    authority, certificate, key = certify(folder)
    sim = subprocess.Popen(
        [im, "--json", "sim", "--listen", f"127.0.0.1:{SIM_PORT}", "--base-url", f"https://{HOSTS[0]}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        document = sim.stdout.readline()
        server = ThreadingHTTPServer(("127.0.0.1", 443), Proxy)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        trusting = ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE"]
        environment = {**os.environ, **dict.fromkeys(trusting, authority), "IM_SIM": document}
        ended = subprocess.run(program, env=environment)
    finally:
        sim.kill()
        sim.wait()
sys.exit(ended.returncode)
