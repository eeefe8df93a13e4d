// Preloaded into other people's programs: what they send to PagerDuty's hosts goes to `im sim`,
// whose base URL is in IM_SIM. Nothing else of them is changed.
"use strict";

const http = require("node:http");
const https = require("node:https");

const sim = new URL(process.env.IM_SIM);

function options(args) {
  const [first, second] = args;
  const given = typeof first === "string" || first instanceof URL ? new URL(first) : first;
  const more = second && typeof second === "object" ? second : {};
  const plain = given instanceof URL
    ? { hostname: given.hostname, path: given.pathname + given.search, ...more }
    : { ...given, ...more };
  return { ...plain, protocol: "http:", host: sim.hostname, hostname: sim.hostname, port: sim.port, agent: undefined, servername: undefined };
}

https.request = (...args) => http.request(options(args), args.find((arg) => typeof arg === "function"));
https.get = (...args) => {
  const request = https.request(...args);
  request.end();
  return request;
};
