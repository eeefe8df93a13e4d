//! From where PagerDuty sends webhooks, as its page of safelists says (`docs/pagerduty/webhooks.md`).
//!
//! PagerDuty may add addresses. It does not recommend relying on them: the signature is what
//! proves a webhook.

/// The US region.
pub const US: [&str; 13] = [
    "44.242.69.192",
    "52.89.71.166",
    "54.213.187.133",
    "35.86.21.47",
    "52.88.94.18",
    "44.238.89.29",
    "54.241.68.46",
    "54.176.72.216",
    "54.177.81.67",
    "13.56.49.27",
    "34.210.57.30",
    "34.210.242.134",
    "52.34.208.156",
];

/// The EU region.
pub const EU: [&str; 12] = [
    "18.192.91.93",
    "18.158.120.237",
    "18.194.177.30",
    "18.158.199.216",
    "3.126.25.87",
    "18.197.187.16",
    "54.76.3.62",
    "54.170.2.90",
    "52.213.188.110",
    "54.195.179.238",
    "34.250.91.200",
    "54.76.225.71",
];
