//! Reading, listing and removing what is only kept (see [`crate::shelf`]), the same for each kind.

use serde_json::{Value, json};

use super::Answer;
use super::directory::named;
use super::paging::Page;
use crate::http::{Request, Response, not_found};
use crate::shelf::{Kept, Shelf};
use crate::state::{Given, World};

/// How one kind shows over REST.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) shelf: Shelf,
    /// The envelope of one, which is its type as well.
    pub(super) one: &'static str,
    /// The envelope of many.
    pub(super) many: &'static str,
    /// Where it lives.
    pub(super) path: &'static str,
    /// The field that names it.
    pub(super) name: &'static str,
}

impl Kind {
    pub(super) fn find<'a>(&self, world: &'a World, id: &str) -> Answer<&'a Kept> {
        world.shelves.of(self.shelf).get(id).ok_or_else(not_found)
    }

    pub(super) fn value(&self, world: &World, kept: &Kept) -> Value {
        let own = json!({
            "id": kept.id,
            "type": self.one,
            "summary": kept.text(self.name),
            "self": format!("{}/{}/{}", world.options.base_url, self.path, kept.id),
            "html_url": null,
        });
        super::with_given(own, &kept.fields)
    }

    pub(super) fn reference(&self, world: &World, kept: &Kept) -> Value {
        json!({
            "id": kept.id,
            "type": format!("{}_reference", self.one),
            "summary": kept.text(self.name),
            "self": format!("{}/{}/{}", world.options.base_url, self.path, kept.id),
            "html_url": null,
        })
    }

    /// Those that `query` names and that are wanted, by name.
    pub(super) fn rows<'a>(
        &self,
        world: &'a World,
        request: &Request,
        wanted: impl Fn(&Kept) -> bool,
    ) -> Vec<&'a Kept> {
        let all = world.shelves.of(self.shelf).iter();
        let mut rows: Vec<&Kept> = all
            .filter(|one| named(request, &[one.text(self.name)]) && wanted(one))
            .collect();
        rows.sort_by_key(|one| one.text(self.name).to_lowercase());
        rows
    }

    pub(super) fn list(
        &self,
        world: &World,
        request: &Request,
        wanted: impl Fn(&Kept) -> bool,
    ) -> Answer {
        let rows = self.rows(world, request, wanted);
        Ok(Page::of(request)?.answer(self.many, &rows, |one| self.value(world, one)))
    }

    pub(super) fn shown(&self, world: &World, id: &str, status: u16) -> Answer {
        let value = self.value(world, self.find(world, id)?);
        Ok(Response::json(status, &json!({ self.one: value })))
    }

    pub(super) fn put(&self, world: &mut World, id: &str, fields: Given) {
        let id = id.to_owned();
        world.shelves.of_mut(self.shelf).put(Kept { id, fields });
    }

    /// Removes it; its name stays in references.
    pub(super) fn remove(&self, world: &mut World, id: &str) -> Answer {
        let found = world.shelves.of_mut(self.shelf).remove(id);
        let found = found.ok_or_else(not_found)?;
        world.forget(id, found.text(self.name).to_owned());
        Ok(Response::empty(204))
    }
}

/// Removes what `gone` says.
pub(super) fn clear(world: &mut World, shelf: Shelf, gone: impl Fn(&Kept) -> bool) -> usize {
    let all = world.shelves.of(shelf).iter();
    let ids: Vec<String> = all
        .filter(|one| gone(one))
        .map(|one| one.id.clone())
        .collect();
    for id in &ids {
        world.shelves.of_mut(shelf).remove(id);
    }
    ids.len()
}

/// A row whose id is made of what it links.
pub(super) fn link(parts: &[(&str, &str)]) -> Kept {
    let id: Vec<&str> = parts.iter().map(|(_, value)| *value).collect();
    let fields = parts.iter();
    let fields = fields.map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    Kept {
        id: id.join("/"),
        fields: fields.collect(),
    }
}
