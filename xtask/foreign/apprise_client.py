"""Apprise's PagerDuty plugin against `im sim`: a failure opens an incident, a success resolves it.

Usage: apprise_client.py SIM_JSON
"""

import json
import sys
import urllib.request

import apprise
from apprise.plugins import pagerduty

sim = json.loads(sys.argv[1])
for region in pagerduty.PAGERDUTY_API_LOOKUP:
    pagerduty.PAGERDUTY_API_LOOKUP[region] = f"{sim['base_url']}/v2/enqueue"
service = apprise.Apprise()
service.add(f"pagerduty://{sim['integration_keys'][0]}@{sim['api_key']}/here/there?action=map&dedup=im")


def notify(kind):
    if not service.notify(title="Apprise was here", body="disk full", notify_type=kind):
        sys.exit(f"{kind} was not taken")


def statuses():
    request = urllib.request.Request(
        f"{sim['base_url']}/incidents?date_range=all",
        headers={"Authorization": f"Token token={sim['api_key']}"},
    )
    with urllib.request.urlopen(request, timeout=5) as reply:
        rows = json.loads(reply.read())["incidents"]
    return [row["status"] for row in rows if "Apprise was here" in row["title"]]


def expect(wanted):
    if statuses() != wanted:
        sys.exit(f"got {statuses()}, wanted {wanted}")


notify(apprise.NotifyType.FAILURE)
expect(["triggered"])
notify(apprise.NotifyType.SUCCESS)
expect(["resolved"])
print("ok: Apprise opened and resolved an incident")
