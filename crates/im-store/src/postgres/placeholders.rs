//! Turns `?1` into `$1`, but not inside quotes and comments.

use std::{iter::Peekable, str::Chars};

/// The statement as PostgreSQL reads it. A `?` that no digit follows stays.
pub(super) fn rewrite(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied();
        match (c, next) {
            ('?', Some('0'..='9')) => out.push('$'),
            ('\'' | '"', _) => {
                out.push(c);
                copy_until(&mut out, &mut rest, |c_now| c_now == c);
            }
            ('-', Some('-')) => {
                out.push(c);
                copy_until(&mut out, &mut rest, |c_now| c_now == '\n');
            }
            ('/', Some('*')) => {
                out.push(c);
                copy_block_comment(&mut out, &mut rest);
            }
            _ => out.push(c),
        }
    }
    out
}

/// A doubled quote ends one text and starts the next, which comes to the same.
fn copy_until(out: &mut String, rest: &mut Peekable<Chars<'_>>, is_end: impl Fn(char) -> bool) {
    for c in rest.by_ref() {
        out.push(c);
        if is_end(c) {
            return;
        }
    }
}

/// Block comments nest in PostgreSQL. The first slash is copied already.
fn copy_block_comment(out: &mut String, rest: &mut Peekable<Chars<'_>>) {
    let mut depth = 0_u32;
    let mut before = '/';
    for c in rest.by_ref() {
        out.push(c);
        match (before, c) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth = depth.saturating_sub(1),
            _ => {
                before = c;
                continue;
            }
        }
        if depth == 0 {
            return;
        }
        before = ' '; // `*/*` closes once and opens nothing
    }
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    #[track_caller]
    fn check(sql: &str, expect: &str) {
        assert_eq!(rewrite(sql), expect);
    }

    #[test]
    fn only_parameters_change() {
        check("a = ?1 AND b IN (?2,?10)", "a = $1 AND b IN ($2,$10)");
        check("a ? b", "a ? b");
        check("'?1' = ?1", "'?1' = $1");
        check("'it''s ?1' || ?2", "'it''s ?1' || $2");
        check("\"col?1\" = ?1", "\"col?1\" = $1");
        check("-- is it ?1\n SELECT ?1", "-- is it ?1\n SELECT $1");
        check(
            "/* ?1 /* ?2 */ ?3 */ ?4 /**/ ?5",
            "/* ?1 /* ?2 */ ?3 */ $4 /**/ $5",
        );
        check("5 / 2 - ?1 * ?2", "5 / 2 - $1 * $2");
        check("'open ?1", "'open ?1");
    }
}
