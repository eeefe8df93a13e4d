// The command line client `pd` (pagerduty-cli) against `im sim`, which has to name an account of
// pagerduty.com in its `html_url` links.
//
// Usage: node pagerduty_cli.cjs SIM_JSON   (NODE_PATH leads to the client)
"use strict";

const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const { mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");

const sim = JSON.parse(process.argv[2]);
const program = path.join(process.env.NODE_PATH, "pagerduty-cli/bin/run");
const redirect = path.join(__dirname, "redirect.cjs");
const home = mkdtempSync(path.join(tmpdir(), "pd-"));

function pd(...words) {
  const env = { ...process.env, HOME: home, IM_SIM: sim.base_url };
  const options = { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] };
  return execFileSync(process.execPath, ["--require", redirect, program, ...words], options);
}

function lines(text) {
  return text.split("\n").filter((line) => line.trim() !== "");
}

try {
  const [user, service] = [sim.users[0], sim.services[0]];
  pd("auth", "add", "--token", sim.user_key);
  assert.match(pd("service", "list", "--csv"), new RegExp(service.name));
  const [id] = lines(pd("incident", "create", "-t", "pd was here", "-S", service.name, "-F", user.email, "-p"));
  pd("incident", "ack", "-i", id, "-F", user.email);
  pd("incident", "notes", "-i", id, "-n", "on it", "-F", user.email);
  assert.match(pd("incident", "notes", "-i", id), /on it/);
  pd("incident", "priority", "-i", id, "-n", sim.priorities[0].name);
  assert.match(pd("incident", "list"), /acknowledged/);
  pd("event", "alert", "-r", sim.integration_keys[0], "-d", "pd", "--summary", "disk full", "--severity", "critical", "--source", "here");
  const other = lines(pd("incident", "list", "-p")).find((one) => one !== id);
  pd("incident", "merge", "-I", id, "-i", other);
  pd("incident", "resolve", "-i", id);
  const told = pd("incident", "log", "-i", id);
  for (const type of ["trigger", "acknowledge", "annotate", "priority_change", "merge", "resolve"]) {
    assert.match(told, new RegExp(`${type}_log_entry`));
  }
  console.log("ok: pd listed, made, acknowledged, noted, merged and resolved");
} catch (error) {
  console.error(error.stderr ?? "", error);
  process.exitCode = 1;
} finally {
  rmSync(home, { recursive: true });
}
