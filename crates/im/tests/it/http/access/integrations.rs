//! PagerDuty connected, looked after and unlinked on the pages, with the stand-in.

mod connect;
mod figures;
mod settings;
mod waiting;

use serde_json::Value;

use crate::http::there::There;

/// A server with people, and no connector.
async fn apart() -> There {
    let there = There::apart(|_| {}).await;
    there.server.add_people().await;
    there
}

/// The same with the connector `prod`.
async fn connected() -> There {
    let there = There::start().await;
    there.server.add_people().await;
    there
}

async fn connector(there: &There, name: &str) -> Value {
    let path = format!("/api/v1/connectors/{name}/config");
    there.server.in_process("GET", &path, &Value::Null).await
}
