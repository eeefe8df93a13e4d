//! Values that may have any shape.
//!
//! [`Lax`] reads what fits and is empty for everything else; [`Seen`] also remembers whether the
//! field was there; [`Many`] reads a list and counts the rows that it could not use.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What a type makes of each JSON shape; `None` unless it says otherwise.
pub(crate) trait Tolerant<'de>: Sized {
    fn from_borrowed(text: &'de str) -> Option<Self> {
        Self::from_text(text)
    }

    fn from_text(_text: &str) -> Option<Self> {
        None
    }

    fn from_int(_number: i64) -> Option<Self> {
        None
    }

    fn from_float(_number: f64) -> Option<Self> {
        None
    }

    fn from_bool(_flag: bool) -> Option<Self> {
        None
    }

    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn from_object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

struct Reader<T>(PhantomData<T>);

impl<'de, T: Tolerant<'de>> Visitor<'de> for Reader<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(T::from_text(text))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(T::from_borrowed(text))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(T::from_int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).ok().and_then(T::from_int))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(T::from_float(number))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(T::from_bool(flag))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        T::from_list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        T::from_object(object)
    }
}

/// A value, or nothing where there was none of its shape. Not `Clone`, so that `.clone()` on a
/// field copies the value inside.
#[derive(Debug)]
pub(crate) struct Lax<T>(pub(crate) Option<T>);

impl<T> Default for Lax<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Deref for Lax<T> {
    type Target = Option<T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'de, T: Tolerant<'de>> Deserialize<'de> for Lax<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader(PhantomData)).map(Self)
    }
}

/// A field that knows whether it was there.
#[derive(Debug, Default)]
pub(crate) enum Seen<T> {
    /// The field is not there.
    #[default]
    Absent,
    /// It is null, or nothing that can be read.
    Empty,
    /// It has a value.
    Value(T),
}

impl<T> Seen<T> {
    pub(crate) fn value(&self) -> Option<&T> {
        match self {
            Self::Absent | Self::Empty => None,
            Self::Value(value) => Some(value),
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<'de, T: Tolerant<'de>> Deserialize<'de> for Seen<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = deserializer.deserialize_any(Reader(PhantomData))?;
        Ok(value.map_or(Self::Empty, Self::Value))
    }
}

/// A list. Rows of another shape are counted and dropped; null is the empty list.
#[derive(Debug)]
pub(crate) struct Many<T> {
    pub(crate) items: Vec<T>,
    /// Rows received, the dropped ones too: paging goes by these.
    pub(crate) rows: usize,
}

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            rows: 0,
        }
    }
}

impl<T> Deref for Many<T> {
    type Target = [T];

    fn deref(&self) -> &Self::Target {
        &self.items
    }
}

impl<'de, T: Tolerant<'de>> Tolerant<'de> for Many<T> {
    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut many = Self::default();
        while let Some(row) = list.next_element::<Lax<T>>()? {
            many.rows = many.rows.saturating_add(1);
            many.items.extend(row.0);
        }
        Ok(Some(many))
    }
}

impl<'de, T: Tolerant<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let many = Lax::<Self>::deserialize(deserializer)?;
        Ok(many.0.unwrap_or_default())
    }
}

impl Tolerant<'_> for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn from_int(number: i64) -> Option<Self> {
        Some(number.to_string())
    }

    fn from_float(number: f64) -> Option<Self> {
        Some(number.to_string())
    }

    fn from_bool(flag: bool) -> Option<Self> {
        Some(flag.to_string())
    }
}

impl<'de: 'a, 'a> Tolerant<'de> for Cow<'a, str> {
    fn from_borrowed(text: &'de str) -> Option<Self> {
        Some(Self::Borrowed(text))
    }

    fn from_text(text: &str) -> Option<Self> {
        String::from_text(text).map(Self::Owned)
    }

    fn from_int(number: i64) -> Option<Self> {
        String::from_int(number).map(Self::Owned)
    }
}

impl Tolerant<'_> for i64 {
    fn from_text(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }

    fn from_int(number: i64) -> Option<Self> {
        Some(number)
    }
}

impl Tolerant<'_> for bool {
    fn from_text(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }

    fn from_bool(flag: bool) -> Option<Self> {
        Some(flag)
    }
}

impl Tolerant<'_> for Timestamp {
    fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        text.parse().ok().or_else(|| {
            // We ask for `time_zone=UTC`, so a time without a zone is in UTC.
            let civil: DateTime = text.parse().ok()?;
            Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
        })
    }
}

/// A custom field's value: a scalar, or a list of scalars joined by commas.
#[derive(Debug)]
pub(crate) struct Scalars(pub(crate) String);

impl<'de> Tolerant<'de> for Scalars {
    fn from_text(text: &str) -> Option<Self> {
        String::from_text(text).map(Self)
    }

    fn from_int(number: i64) -> Option<Self> {
        String::from_int(number).map(Self)
    }

    fn from_float(number: f64) -> Option<Self> {
        String::from_float(number).map(Self)
    }

    fn from_bool(flag: bool) -> Option<Self> {
        String::from_bool(flag).map(Self)
    }

    fn from_list<A: SeqAccess<'de>>(list: A) -> Result<Option<Self>, A::Error> {
        let many = Many::<String>::from_list(list)?;
        Ok(many.map(|many| Self(many.items.join(", "))))
    }
}

/// Makes structs readable in place of any value.
macro_rules! objects {
    ($($name:ident $(<$life:lifetime>)?),* $(,)?) => {$(
        impl<'de $(: $life, $life)?> $crate::wire::tolerant::Tolerant<'de> for $name $(<$life>)? {
            fn from_object<A: serde::de::MapAccess<'de>>(
                object: A,
            ) -> Result<Option<Self>, A::Error> {
                let reader = serde::de::value::MapAccessDeserializer::new(object);
                serde::Deserialize::deserialize(reader).map(Some)
            }
        }
    )*};
}

pub(crate) use objects;
