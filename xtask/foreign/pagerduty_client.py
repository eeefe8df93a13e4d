"""PagerDuty's own Python client against `im sim`: the stand-in must not be told from the original.

Usage: pagerduty_client.py SIM_JSON   (the line that `im sim --json` prints)
Exits with 1 and the first surprise.
"""

import json
import sys

import pagerduty

sim = json.loads(sys.argv[1])
base = sim["base_url"]
user, service = sim["users"][0], sim["services"][0]


class Plain:
    """The client insists on https; the stand-in is on this machine and speaks http."""

    url = None


class Rest(Plain, pagerduty.RestApiV2Client):
    pass


class Events(Plain, pagerduty.EventsApiV2Client):
    pass


rest = Rest(sim["api_key"], default_from=user["email"], base_url=base)


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: got {got!r}, wanted {wanted!r}")


# Lists, with the client's own paging.
expect("services", len(list(rest.iter_all("services"))), len(sim["services"]))
expect("users", rest.find("users", user["email"], attribute="email")["id"], user["id"])
expect("policies", len(rest.list_all("escalation_policies")) > 0, True)
expect("on-calls", len(rest.list_all("oncalls")) > 0, True)

# The life of an incident.
made = rest.rpost(
    "incidents",
    json={
        "incident": {
            "type": "incident",
            "title": "Made by the Python client",
            "service": {"id": service["id"], "type": "service_reference"},
            "incident_key": "python-1",
        }
    },
)
expect("status", made["status"], "triggered")
try:
    rest.rpost(
        "incidents",
        json={
            "incident": {
                "type": "incident",
                "title": "Twice",
                "service": {"id": service["id"], "type": "service_reference"},
                "incident_key": "python-1",
            }
        },
    )
    sys.exit("a second incident with an open key was made")
except pagerduty.HttpError as error:
    expect("duplicate key", error.response.status_code, 400)
    expect("its code", error.response.json()["error"]["code"], 2002)
incident = {"type": "incident_reference", "status": "acknowledged"}
expect("acknowledge", rest.rput(made["self"], json={"incident": incident})["status"], "acknowledged")
note = rest.rpost(f"incidents/{made['id']}/notes", json={"note": {"content": "from Python"}})
expect("note", note["content"], "from Python")
incident["status"] = "resolved"
expect("resolve", rest.rput(f"incidents/{made['id']}", json={"incident": incident})["status"], "resolved")
kinds = [entry["type"] for entry in rest.iter_all(f"incidents/{made['id']}/log_entries")]
for kind in ("trigger", "acknowledge", "annotate", "resolve"):
    expect(f"a {kind} entry", f"{kind}_log_entry" in kinds, True)

# Events.
events = Events(sim["integration_keys"][0], base_url=base)
key = events.trigger("disk is full", "db-1", severity="critical")
events.acknowledge(key)
found = rest.list_all("incidents", params={"incident_key": key, "date_range": "all"})
expect("the event's incident", [row["status"] for row in found], ["acknowledged"])
events.resolve(key)
found = rest.list_all("incidents", params={"incident_key": key, "date_range": "all", "statuses[]": "resolved"})
expect("its end", len(found), 1)
print("ok: the Python client made, acknowledged, noted and resolved; events did the same")
