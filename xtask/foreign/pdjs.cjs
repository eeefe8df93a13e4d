// PagerDuty's own JavaScript client against `im sim`.
//
// Usage: node pdjs.cjs SIM_JSON   (NODE_PATH leads to the client)
"use strict";

const assert = require("node:assert/strict");

const sim = JSON.parse(process.argv[2]);
process.env.IM_SIM = sim.base_url;
require("./redirect.cjs");
const { api, event } = require("@pagerduty/pdjs");

const [user, service] = [sim.users[0], sim.services[0]];
const pd = api({ token: sim.api_key });
const headers = { From: user.email };

async function main() {
  const first = await pd.get("/services", { data: { limit: 2 } });
  assert.equal(first.resource.length, 2);
  const all = await pd.all("/services", { data: { limit: 1 } });
  assert.equal(all.resource.length, sim.services.length);

  const incident = { type: "incident", title: "pdjs was here", service: { id: service.id, type: "service_reference" } };
  const made = await pd.post("/incidents", { headers, data: { incident } });
  assert.equal(made.response.status, 201);
  const path = `/incidents/${made.resource.id}`;
  const taken = await pd.put(path, { headers, data: { incident: { type: "incident_reference", status: "acknowledged" } } });
  assert.equal(taken.resource.status, "acknowledged");
  const note = await pd.post(`${path}/notes`, { headers, data: { note: { content: "seen" } } });
  assert.equal(note.data.note.content, "seen");
  const nobody = await pd.post("/incidents", { data: { incident } });
  assert.equal(nobody.response.status, 400);

  const data = { routing_key: sim.integration_keys[0], dedup_key: "pdjs", payload: { summary: "disk full", source: "here", severity: "error" } };
  for (const event_action of ["trigger", "acknowledge", "resolve"]) {
    const sent = await event({ data: { ...data, event_action } });
    assert.equal(sent.response.status, 202);
  }
  const found = await pd.get("/incidents", { data: { incident_key: "pdjs", date_range: "all" } });
  assert.deepEqual(found.resource.map((one) => one.status), ["resolved"]);
  console.log("ok: pdjs made, acknowledged and noted an incident; events did the same");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
