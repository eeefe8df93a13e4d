// node-pagerduty, run by pretend.py: it calls PagerDuty's own hosts.
"use strict";

const assert = require("node:assert/strict");
const PagerDuty = require("node-pagerduty");

const sim = JSON.parse(process.env.IM_SIM);
const pd = new PagerDuty(sim.api_key);
const [mail, service] = [sim.users[0].email, sim.services[0].id];

async function main() {
  const incident = { type: "incident", title: "node-pagerduty was here", service: { id: service, type: "service_reference" } };
  const made = (await pd.incidents.createIncident(mail, { incident })).body.incident;
  const acknowledged = { incident: { type: "incident_reference", status: "acknowledged" } };
  assert.equal((await pd.incidents.updateIncident(made.id, mail, acknowledged)).statusCode, 200);
  assert.equal((await pd.incidents.createNote(made.id, mail, { note: { content: "seen" } })).statusCode, 200);
  assert.equal((await pd.incidents.snoozeIncident(made.id, mail, { duration: 60 })).statusCode, 201);
  const lists = [
    pd.incidents.listIncidents({}), pd.logEntries.listLogEntries({}), pd.extensions.listExtensions({}), pd.vendors.listVendors({}),
    pd.maintenanceWindows.listMaintenanceWindows({}), pd.onCalls.listAllOnCalls({}), pd.abilities.listAbilities(),
    pd.priorities.listPriorities(), pd.users.listUsers({}), pd.notifications.listNotifications({ since: "2026-01-01", until: "2026-02-01" }),
  ];
  for (const answer of await Promise.all(lists)) assert.equal(answer.statusCode, 200);
  const payload = { summary: "slow", source: "web", severity: "info" };
  await pd.events.sendEvent({ routing_key: sim.integration_keys[0], event_action: "trigger", payload });
  console.log("ok: node-pagerduty made, acknowledged, noted and snoozed an incident and listed what there is");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
