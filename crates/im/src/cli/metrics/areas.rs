//! The metrics that there are, by area.

use owo_colors::OwoColorize as _;
use serde::Deserialize;

use crate::cli::context::Context;
use crate::cli::error::{Exit, Failure};
use crate::cli::table;
use crate::client::Call;

#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
    area: String,
    tells: String,
}

pub(super) async fn run(cx: &mut Context) -> Result<Exit, Failure> {
    let answer = cx.send(Call::get(["metrics"])).await?;
    if cx.ui.json {
        cx.ui.document(&answer.body);
        return Ok(Exit::Done);
    }
    let all: Vec<Listed> = answer.read()?;
    let longest = all.iter().map(|one| one.name.len()).max().unwrap_or(0);
    let width = cx.ui.width;
    for (place, area) in all.chunk_by(|a, b| a.area == b.area).enumerate() {
        if place > 0 {
            cx.ui.say("");
        }
        let title = match area.first().map(|one| one.area.as_str()) {
            Some("wellbeing") => "Wellbeing",
            _ => "Quality of work",
        };
        cx.ui.say(title.bold());
        for Listed { name, tells, .. } in area {
            let head = format!("  {name:longest$}  ");
            cx.ui.say(table::hanging(&head, tells, width));
        }
    }
    cx.ui
        .hint("`im metrics NAME` computes one; `im findings` says what is worth a look");
    Ok(Exit::Done)
}
