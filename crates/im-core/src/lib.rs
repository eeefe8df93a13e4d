//! What an incident is and what may happen to it: pure values and functions.
