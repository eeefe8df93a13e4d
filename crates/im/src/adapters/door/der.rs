//! Just enough of DER to read until when a certificate is valid (RFC 5280, 4.1).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When the certificate expires; `None` if it is none.
pub(super) fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (kind, certificate, _) = element(certificate)?;
    let (inner, signed, _) = element(certificate)?;
    if (kind, inner) != (SEQUENCE, SEQUENCE) {
        return None;
    }
    let mut rest = signed;
    if let (VERSION, _, after) = element(rest)? {
        rest = after;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (kind, validity, _) = element(rest)?;
    let (_, _, rest) = element(validity)?;
    let (time, text, _) = element(rest)?;
    (kind == SEQUENCE).then_some(())?;
    let text = std::str::from_utf8(text).ok()?;
    let text = match time {
        // Two digits of the year, for 1950 to 2049.
        UTC_TIME => {
            let century = if text.get(..2)?.parse::<u8>().ok()? < 50 {
                "20"
            } else {
                "19"
            };
            format!("{century}{text}")
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let at = DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The tag of the first element, what is in it, and what comes after.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count > 4 {
            return None;
        }
        let (digits, rest) = rest.split_at_checked(count)?;
        let length = digits
            .iter()
            .fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
        (length, rest)
    };
    let (inside, after) = rest.split_at_checked(length)?;
    Some((tag, inside, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate with these times and nothing else that counts.
    fn certificate(kind: u8, text: &str, version: bool) -> Vec<u8> {
        let wrap = |tag: u8, inside: &[u8]| {
            let length = inside.len();
            let mut all = vec![tag];
            if length < 0x80 {
                all.push(u8::try_from(length).unwrap());
            } else {
                all.extend([0x82]);
                all.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            all.extend(inside);
            all
        };
        let mut signed = Vec::new();
        if version {
            signed.extend(wrap(VERSION, &[2, 1, 2]));
        }
        signed.extend(wrap(2, &[7; 200]));
        signed.extend(wrap(SEQUENCE, &[]));
        signed.extend(wrap(SEQUENCE, &[]));
        let times = [
            wrap(UTC_TIME, b"200101000000Z"),
            wrap(kind, text.as_bytes()),
        ];
        signed.extend(wrap(SEQUENCE, &times.concat()));
        wrap(SEQUENCE, &wrap(SEQUENCE, &signed))
    }

    #[test]
    fn g12_the_end_of_a_certificate_is_read_in_both_forms() {
        for (kind, text, expected) in [
            (UTC_TIME, "261201120000Z", Some("2026-12-01T12:00:00Z")),
            (UTC_TIME, "500101000000Z", Some("1950-01-01T00:00:00Z")),
            (
                GENERALIZED_TIME,
                "20510101000000Z",
                Some("2051-01-01T00:00:00Z"),
            ),
            (GENERALIZED_TIME, "20261301000000Z", None),
            (0x0c, "261201120000Z", None),
            (UTC_TIME, "é61201120000Z", None),
        ] {
            let expected = expected.map(|text| text.parse().unwrap());
            for version in [true, false] {
                assert_eq!(
                    not_after(&certificate(kind, text, version)),
                    expected,
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn g12_what_is_cut_is_no_certificate() {
        let whole = certificate(UTC_TIME, "261201120000Z", true);
        for length in 0..whole.len() {
            assert_eq!(not_after(&whole[..length]), None, "{length}");
        }
        assert_eq!(not_after(&[0x30, 0xff, 1, 2]), None);
    }
}
