//! An engine as bytes: what was told of incidents, so that it need not be told again.
//!
//! What follows from it is not a part: what settings and deployments decide is worked out anew when an image
//! is read, so that one never brings back figures of other working hours, teams or zones. Numbers are
//! little-endian. Whoever keeps an image sees to it that it comes back whole; one that makes no sense is
//! refused.

use std::io::{self, Read, Write};

use crate::columns::Given;
use crate::engine::Engine;
use crate::input::Settings;
use crate::names::{Labels, Names, Sets, Table};
use crate::num;

/// Read at once at most, so that a wrong number costs no memory.
const AT_ONCE: usize = 1 << 16;

impl Engine {
    /// Writes what was told of incidents.
    pub fn write_image(&self, to: &mut impl Write) -> io::Result<()> {
        write_count(to, self.names.len())?;
        for text in self.names.all() {
            write_bytes(to, text.as_bytes())?;
        }
        write_count(to, self.sets.len())?;
        for members in self.sets.all() {
            write_count(to, members.len())?;
            for member in members {
                to.write_all(&member.to_le_bytes())?;
            }
        }
        write_count(to, self.labels.len())?;
        for labels in self.labels.all() {
            to.write_all(&labels.to_bytes())?;
        }
        write_count(to, self.len())?;
        for place in 0..self.len() {
            let given = self.main.given(place);
            to.write_all(&given.number.to_le_bytes())?;
            to.write_all(&given.labels.to_le_bytes())?;
            to.write_all(&given.key.to_le_bytes())?;
            write_bytes(to, self.titles.slice(given.title))?;
            write_bytes(to, self.facts.slice(given.events))?;
        }
        Ok(())
    }

    /// An engine that was told what an image holds.
    pub fn read_image(settings: Settings, from: &mut impl Read) -> io::Result<Self> {
        let mut names = Names::default();
        for id in 0..read_count(from)? {
            let text = read_text(from)?;
            is_next(names.intern(&text), id)?;
        }
        let mut sets = Sets::default();
        for id in 0..read_count(from)? {
            let count = read_count(from)?;
            let members = (0..count).map(|_| read_u32(from));
            is_next(sets.intern(members.collect::<io::Result<_>>()?), id)?;
        }
        let mut labels = Table::default();
        for _ in 0..read_count(from)? {
            let read = Labels::from_bytes(&read_array(from)?);
            if !read.names().iter().all(|id| names.has(*id)) {
                return Err(nonsense());
            }
            labels.add(read);
        }
        let mut engine = Self::over(settings, names, sets, labels);
        for _ in 0..read_count(from)? {
            engine.read_incident(from)?;
        }
        Ok(engine)
    }

    fn read_incident(&mut self, from: &mut impl Read) -> io::Result<()> {
        let number = i64::from_le_bytes(read_array(from)?);
        let (labels, key) = (read_u32(from)?, read_u32(from)?);
        let title = read_text(from)?;
        let facts = read_bytes(from)?;
        let is_known = self
            .places
            .find(number, |at| self.main.number(at))
            .is_some();
        if is_known || self.labels.get(labels).is_none() || !self.names.has(key) {
            return Err(nonsense());
        }
        let given = Given {
            number,
            title: self.titles.add(title.as_bytes(), &[]),
            labels,
            key,
            events: self.facts.add(&facts, &[]),
        };
        self.add(given).then_some(()).ok_or_else(nonsense)
    }
}

fn nonsense() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the image makes no sense")
}

/// Each value of a table has the number that it had.
fn is_next(given: u32, id: usize) -> io::Result<()> {
    (num::at(given) == id).then_some(()).ok_or_else(nonsense)
}

fn write_count(to: &mut impl Write, count: usize) -> io::Result<()> {
    to.write_all(&num::id(count).to_le_bytes())
}

fn write_bytes(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    write_count(to, bytes.len())?;
    to.write_all(bytes)
}

fn read_array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_u32(from: &mut impl Read) -> io::Result<u32> {
    Ok(u32::from_le_bytes(read_array(from)?))
}

fn read_count(from: &mut impl Read) -> io::Result<usize> {
    Ok(num::at(read_u32(from)?))
}

fn read_text(from: &mut impl Read) -> io::Result<String> {
    let text = String::from_utf8(read_bytes(from)?);
    text.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

fn read_bytes(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let count = read_count(from)?;
    let mut bytes = vec![0; count.min(AT_ONCE)];
    from.read_exact(&mut bytes)?;
    while bytes.len() < count {
        let start = bytes.len();
        bytes.resize(count.min(start + AT_ONCE), 0);
        from.read_exact(bytes.get_mut(start..).unwrap_or_default())?;
    }
    Ok(bytes)
}
