//! What an account keeps and shows, but what no decision here rests on: tags, business services, workflows and the like.
//!
//! Each object is the JSON that was asked for, checked by its resource before it comes here. So one
//! place saves and loads all of them.

use serde_json::{Map, Value, json};

use crate::kept::{need, rows};
use crate::state::Given;
use crate::table::{Row, Table};

/// One object and its fields.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) fields: Given,
}

impl Row for Kept {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Kept {
    /// A field as text; empty when it is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.fields
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

macro_rules! shelves {
    ($($(#[$doc:meta])* $shelf:ident = $name:literal,)*) => {
        /// The kinds of what is kept.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Shelf {
            $($(#[$doc])* $shelf,)*
        }

        impl Shelf {
            const ALL: &[Self] = &[$(Self::$shelf),*];

            const fn name(self) -> &'static str {
                match self {
                    $(Self::$shelf => $name,)*
                }
            }
        }

        /// All that is kept, by kind.
        #[derive(Debug, Clone, Default)]
        #[expect(non_snake_case, reason = "a field a kind")]
        pub(crate) struct Shelves {
            $($shelf: Table<Kept>,)*
        }

        impl Shelves {
            pub(crate) const fn of(&self, shelf: Shelf) -> &Table<Kept> {
                match shelf {
                    $(Shelf::$shelf => &self.$shelf,)*
                }
            }

            pub(crate) const fn of_mut(&mut self, shelf: Shelf) -> &mut Table<Kept> {
                match shelf {
                    $(Shelf::$shelf => &mut self.$shelf,)*
                }
            }
        }
    };
}

shelves! {
    Tags = "tags",
    /// Which tag hangs on what.
    TagLinks = "tag_links",
    BusinessServices = "business_services",
    /// What a service rests on.
    Dependencies = "service_dependencies",
    /// Which incident harms which business service.
    Impacts = "business_service_impacts",
    /// Who is told of status updates.
    Subscribers = "status_update_subscribers",
    Extensions = "extensions",
    Workflows = "incident_workflows",
    Triggers = "incident_workflow_triggers",
    IncidentTypes = "incident_types",
    ServiceFields = "service_custom_fields",
    ServiceFieldValues = "service_custom_field_values",
    /// Which standards are switched off or narrowed.
    Standards = "standards",
    Grouping = "alert_grouping_settings",
    SchedulesV3 = "schedules_v3",
    Audit = "audit_records",
}

impl Shelves {
    /// For a file of ours; empty shelves are left out.
    pub(crate) fn kept(&self) -> Value {
        let full = Shelf::ALL.iter().filter_map(|shelf| {
            let rows = self.of(*shelf).iter();
            let rows: Vec<Value> = rows
                .map(|row| json!({"id": row.id, "fields": row.fields}))
                .collect();
            (!rows.is_empty()).then(|| (shelf.name().to_owned(), rows.into()))
        });
        Value::Object(full.collect::<Map<String, Value>>())
    }

    pub(crate) fn restore(&mut self, kept: &Value) -> Result<(), String> {
        for shelf in Shelf::ALL {
            for row in rows(kept, shelf.name()) {
                let fields = row.get("fields").and_then(Value::as_object);
                let fields = fields.ok_or_else(|| "fields is missing".to_owned())?;
                self.of_mut(*shelf).put(Kept {
                    id: need(row, "id")?,
                    fields: fields.clone(),
                });
            }
        }
        Ok(())
    }
}
