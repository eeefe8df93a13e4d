//! The engine: plan, settle, receive. It decides what to call and never calls.
