//! A stand-in for PagerDuty: a pure function of (request, now).
