"""PagerDuty's own MCP server (pagerduty-mcp), spoken to as an assistant would. Run by pretend.py.

Usage: mcp.py MCP_SERVER
"""

import asyncio
import json
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

sim = json.loads(os.environ["IM_SIM"])
users, service = [user["id"] for user in sim["users"]], sim["services"][0]["id"]


def member(user):
    return {"type": "user_member", "user_id": user}


async def talk(session):
    async def call(name, **arguments):
        answer = await session.call_tool(name, arguments)
        text = "".join(getattr(part, "text", "") for part in answer.content)
        if answer.isError:
            sys.exit(f"{name}: {text}")
        return json.loads(text)

    plain = (
        "list_incidents list_services list_teams list_users list_oncalls list_escalation_policies list_priorities list_log_entries"
        " list_change_events list_incident_workflows list_business_services list_alert_grouping_settings list_extension_schemas"
        " list_webhook_subscriptions get_user_data"
    )
    for name in plain.split():
        await call(name)
    schedules = await call("list_schedules", query_model={})
    failed = [source for source in schedules["sources"] if source["status"] != "ok"]
    if failed:
        sys.exit(f"list_schedules: {failed}")

    # Its incidents.
    incident = {"title": "An assistant was here", "service": {"id": service}}
    made = await call("create_incident", incident=incident)
    incident = made.get("incident", made)["id"]
    await call("add_note_to_incident", incident_id=incident, note="from an assistant")
    await call("manage_incidents", manage_request={"incident_ids": [incident], "status": "acknowledged"})
    for name in ("get_incident", "list_incident_notes", "list_alerts_from_incident", "list_incident_change_events"):
        await call(name, incident_id=incident)
    for name in ("get_past_incidents", "get_related_incidents"):
        await call(name, incident_id=incident, query_model={})

    # Its schedules, which are all by shifts.
    schedule = await call("create_schedule", schedule_data={"name": "By an assistant", "time_zone": "Etc/UTC"})
    schedule = schedule["id"]
    rotation = (await call("create_schedule_v3_rotation", schedule_id=schedule))["id"]
    zoned = lambda time: {"date_time": f"2026-03-02T{time}:00Z", "time_zone": "Etc/UTC"}
    event = {
        "name": "Days",
        "start_time": zoned("09:00"),
        "end_time": zoned("17:00"),
        "effective_since": "2026-03-02T00:00:00Z",
        "recurrence": ["RRULE:FREQ=DAILY"],
        "assignment_strategy": {
            "type": "rotating_member_assignment_strategy",
            "shifts_per_member": 1,
            "members": [member(user) for user in users[:2]],
        },
    }
    await call("create_schedule_v3_rotation_event", schedule_id=schedule, rotation_id=rotation, event_data=event)
    listed = await call("list_schedule_v3_rotation_events", schedule_id=schedule, rotation_id=rotation)
    if len(listed["response"]) != 1:
        sys.exit(f"its events: {listed}")
    override = {
        "rotation_id": rotation,
        "start_time": "2099-03-11T09:00:00Z",
        "end_time": "2099-03-11T17:00:00Z",
        "overridden_member": member(users[0]),
        "overriding_member": member(users[2]),
    }
    await call("create_schedule_v3_overrides", schedule_id=schedule, overrides=[override])
    shown = await call("get_schedule", schedule_id=schedule)
    if shown["kind"] != "shift_based":
        sys.exit(f"get_schedule: {shown}")
    day = {"date_range_start": "2026-03-01T00:00:00Z", "date_range_end": "2026-03-02T00:00:00Z"}
    await call("get_responder_load_metrics", **day, team_ids=[])
    await call("delete_schedule_v3", schedule_id=schedule)


async def main():
    key = {"PAGERDUTY_USER_API_KEY": sim["user_key"]}
    server = StdioServerParameters(command=sys.argv[1], args=["--enable-write-tools"], env={**os.environ, **key})
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        async with stdio_client(server, errlog=nowhere) as (reads, writes):
            async with ClientSession(reads, writes) as session:
                await session.initialize()
                await talk(session)
    print("ok: PagerDuty's MCP server listed, made and acknowledged an incident, and made a schedule by shifts")


asyncio.run(main())
