//! PagerDuty without IO: calls as data, answers read.
