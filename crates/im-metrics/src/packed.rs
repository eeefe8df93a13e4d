//! Facts as bytes: a little more than half of what they take as values.
//!
//! Of each fact, how much later it was than the one before, and whom it is about with what it is: two numbers,
//! each seven bits a byte, the lowest first.

use crate::derive::{Code, Fact};
use crate::names::NONE;
use crate::num;

/// Bits of what a fact is, beside whom it is about.
const CODE_BITS: u32 = 4;
/// The bit of a byte that says that more bytes follow.
const MORE: u8 = 0x80;

/// The bytes of facts.
pub(crate) fn pack(facts: &[Fact]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(facts.len() * 8);
    let mut before = 0;
    for fact in facts {
        let later = fact.at.wrapping_sub(before);
        before = fact.at;
        // Small numbers of either sign are small numbers.
        put(&mut bytes, (later << 1 ^ later >> 63).cast_unsigned());
        let code = Code::ALL.iter().position(|code| *code == fact.what);
        // Nobody is 0.
        let who = u64::from(fact.who.wrapping_add(1));
        put(
            &mut bytes,
            who << CODE_BITS | u64::from(num::id(code.unwrap_or(0))),
        );
    }
    bytes
}

/// The facts of bytes; `None` for bytes that are none of facts.
pub(crate) fn unpack(mut bytes: &[u8]) -> Option<Vec<Fact>> {
    let mut facts = Vec::with_capacity(bytes.len() / 6);
    let mut at: i64 = 0;
    while !bytes.is_empty() {
        let later = take(&mut bytes)?;
        let sign = -(later & 1).cast_signed();
        at = at.wrapping_add((later >> 1).cast_signed() ^ sign);
        let rest = take(&mut bytes)?;
        let who = u32::try_from(rest >> CODE_BITS).ok()?;
        let code = usize::try_from(rest & ((1 << CODE_BITS) - 1)).ok()?;
        facts.push(Fact {
            at,
            who: who.checked_sub(1).unwrap_or(NONE),
            what: *Code::ALL.get(code)?,
        });
    }
    Some(facts)
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= u64::from(MORE) {
        let [low, ..] = number.to_le_bytes();
        bytes.push(low | MORE);
        number >>= 7;
    }
    let [low, ..] = number.to_le_bytes();
    bytes.push(low);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & !MORE) << (7 * place);
        if byte & MORE == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::ResolverKind;

    #[test]
    fn facts_come_back_as_they_were() {
        let times = [
            0,
            -1,
            1,
            i64::MIN,
            i64::MAX,
            1_762_128_000_000_000,
            127,
            128,
        ];
        let people = [NONE, 0, 7, 1 << 28, u32::MAX - 1];
        let all = times
            .iter()
            .flat_map(|at| people.iter().map(|who| (*at, *who)));
        let all = all.flat_map(|(at, who)| Code::ALL.map(|what| Fact { at, who, what }));
        let facts: Vec<Fact> = all.collect();
        assert_eq!(unpack(&pack(&facts)), Some(facts));
        let one = Fact {
            at: 5,
            who: 2,
            what: Code::Resolved(ResolverKind::Human),
        };
        let bytes = pack(&[one]);
        assert_eq!(unpack(&bytes[..1]), None);
        assert_eq!(unpack(&[MORE; 12]), None);
    }
}
