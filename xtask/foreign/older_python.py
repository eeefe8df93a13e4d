"""The Python clients that PagerDuty and others gave up but that much software still has: pdpyras, pypd
and pygerduty. Run by pretend.py: they call PagerDuty's own hosts.
"""

import json
import os
import sys
import warnings

warnings.simplefilter("ignore")
import pdpyras
import pygerduty.events
import pygerduty.v2
import pypd

sim = json.loads(os.environ["IM_SIM"])
user, service, key = sim["users"][0], sim["services"][0], sim["integration_keys"][0]
mail = user["email"]


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: got {got!r}, wanted {wanted!r}")


def incident(title):
    return {"type": "incident", "title": title, "service": {"id": service["id"], "type": "service_reference"}}


# pdpyras: everything that it can list, its own paging and cursors, and what it finds again.
session = pdpyras.APISession(sim["api_key"], default_from=mail)
LISTS = (
    "users services teams escalation_policies schedules priorities tags extensions extension_schemas business_services"
    " incident_workflows vendors maintenance_windows webhook_subscriptions log_entries oncalls"
)
for name in LISTS.split():
    session.list_all(name)
made = session.rpost("incidents", json=incident("pdpyras was here"))
acknowledged = {"type": "incident_reference", "status": "acknowledged"}
expect("acknowledged", session.rput(made["self"], json=acknowledged)["status"], "acknowledged")
many = [{"id": made["id"], "type": "incident_reference", "status": "resolved"}]
expect("resolved", session.rput("/incidents", json=many)[0]["status"], "resolved")
tag = session.persist("tags", "label", {"label": "tier-1", "type": "tag"})
expect("the same tag", session.persist("tags", "label", {"label": "tier-1", "type": "tag"})["id"], tag["id"])
renamed = {"type": "service", "name": "Renamed by pdpyras"}
session.rput(f"/services/{service['id']}", json=renamed)
records = list(session.iter_cursor("/audit/records"))
expect("audit records", [record["action"] for record in records], ["update"])
events = pdpyras.EventsAPISession(key)
deduplicated = events.trigger("disk full", "db-1")
events.acknowledge(deduplicated)
events.resolve(deduplicated)
pdpyras.ChangeEventsAPISession(key).submit("Release 412")
expect("changes", len(session.list_all("change_events")), 1)

# pypd.
pypd.api_key = sim["api_key"]
made = pypd.Incident.create(data=incident("pypd was here"), add_headers={"from": mail})
made.acknowledge(from_email=mail)
made.create_note(from_email=mail, content="from pypd")
made.snooze(from_email=mail, duration=60)
made.resolve(from_email=mail, resolution="done")
kinds = {entry.json["type"] for entry in made.log_entries()}
expect("its trail", {"snooze_log_entry", "annotate_log_entry", "resolve_log_entry"} <= kinds, True)
payload = {"summary": "slow", "severity": "error", "source": "web"}
pypd.EventV2.create(data={"routing_key": key, "event_action": "trigger", "payload": payload})
for kind in (pypd.User, pypd.Service, pypd.Team, pypd.EscalationPolicy, pypd.Schedule, pypd.OnCall, pypd.Vendor):
    expect(kind.__name__, len(kind.find(maximum=1)), 1)

# pygerduty.
older = pygerduty.v2.PagerDuty(sim["api_key"])
mine = [one for one in older.incidents.list() if one.title == "slow"][0]
mine.acknowledge(requester=mail)
mine.resolve(requester=mail)
schedule = next(iter(older.schedules.list()))
schedule.overrides.list(since="2026-01-01", until="2099-01-01")
someone = older.users.show(user["id"])
expect("contact methods", len(list(someone.contact_methods.list())) > 0, True)
version_1 = pygerduty.events.Events(key)
expect("its key", version_1.create_event("first", "trigger", {"a": 1}, "older-1"), "older-1")
version_1.resolve_incident("older-1")
print("ok: pdpyras, pypd and pygerduty listed, made, changed and found again; events of both versions did the same")
