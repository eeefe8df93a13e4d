"""Prometheus Alertmanager against `im sim`: an alert opens an incident, its end resolves it.

Usage: alertmanager.py ALERTMANAGER SIM_JSON
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

program, sim = sys.argv[1], json.loads(sys.argv[2])
DEADLINE_S = 60


def command():
    """Debian's program reads its templates from /usr/share. Where the package is not installed but
    only taken out, it gets its own /usr/share, in a mount namespace that ends with it."""
    share = os.path.join(os.path.dirname(os.path.dirname(program)), "share")
    if not os.path.isabs(program) or os.path.exists("/usr/share/prometheus/alertmanager"):
        return [program]
    mount = 'mount --bind "$0" /usr/share && exec "$@"'
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, share, program]



def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(url, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})})
    with urllib.request.urlopen(request, timeout=5) as reply:
        return json.loads(reply.read() or b"null")


def until(what, probe):
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        try:
            if probe():
                return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit(f"it did not happen within {DEADLINE_S} s: {what}")


def statuses():
    rows = ask(
        f"{sim['base_url']}/incidents?date_range=all",
        headers={"Authorization": f"Token token={sim['api_key']}"},
    )["incidents"]
    return [row["status"] for row in rows if "Alertmanager was here" in row["title"]]


with tempfile.TemporaryDirectory() as folder:
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    config = f"""
route: {{receiver: pd, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: pd
    pagerduty_configs:
      - routing_key: {sim["integration_keys"][0]}
        url: {sim["base_url"]}/v2/enqueue
        description: Alertmanager was here
        send_resolved: true
"""
    with open(os.path.join(folder, "alertmanager.yml"), "w", encoding="utf-8") as file:
        file.write(config)
    with open(os.path.join(folder, "log"), "wb") as log:
        server = subprocess.Popen(
            [
                *command(),
                f"--config.file={folder}/alertmanager.yml",
                f"--storage.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            until("Alertmanager answers", lambda: ask(f"{here}/api/v2/status"))
            alert = {"labels": {"alertname": "DiskFull", "severity": "critical"}}
            ask(f"{here}/api/v2/alerts", [alert])
            until("an incident is triggered", lambda: statuses() == ["triggered"])
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            ask(f"{here}/api/v2/alerts", [{**alert, "endsAt": now}])
            until("it is resolved", lambda: statuses() == ["resolved"])
        except SystemExit:
            with open(os.path.join(folder, "log"), encoding="utf-8") as written:
                print(written.read(), file=sys.stderr)
            raise
        finally:
            server.terminate()
            server.wait()
print("ok: Alertmanager opened and resolved an incident")
