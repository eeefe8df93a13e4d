"""A Singer tap for PagerDuty (bmaquet-tap-pagerduty): it discovers its streams and reads them all. Run by
pretend.py.

Usage: singer_tap.py TAP
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request

sim = json.loads(os.environ["IM_SIM"])
settings = {"token": sim["api_key"], "email": sim["users"][0]["email"], "since": "2026-01-01T00:00:00Z", "limit": 100}


def trigger():
    """It cannot read an account without incidents."""
    payload = {"summary": "slow", "source": "web", "severity": "error"}
    event = {"routing_key": sim["integration_keys"][0], "event_action": "trigger", "payload": payload}
    urllib.request.urlopen("https://events.pagerduty.com/v2/enqueue", json.dumps(event).encode()).close()


def run(*arguments):
    done = subprocess.run([sys.argv[1], *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout


trigger()
with tempfile.TemporaryDirectory() as folder:
    config, catalog = os.path.join(folder, "config.json"), os.path.join(folder, "catalog.json")
    with open(config, "w", encoding="utf-8") as file:
        json.dump(settings, file)
    streams = json.loads(run("--config", config, "--discover"))
    for stream in streams["streams"]:
        for part in stream["metadata"]:
            part["metadata"]["selected"] = True
    with open(catalog, "w", encoding="utf-8") as file:
        json.dump(streams, file)
    rows = [json.loads(line) for line in run("--config", config, "--catalog", catalog).splitlines()]

services = [row for row in rows if row["type"] == "RECORD" and row["stream"] == "services"]
if len(services) != len(sim["services"]):
    sys.exit(f"it read {len(services)} services of {len(sim['services'])}")
print(f"ok: the Singer tap discovered {len(streams['streams'])} streams and read {len(services)} services")
