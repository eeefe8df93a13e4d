//! Just enough of Rust's grammar to tell code, strings and comments apart.
//!
//! [`Source::read`] cuts a file into three texts of the same shape: each keeps the line breaks,
//! so a place in one of them is a line of the file. What belongs to another text is blank.

/// A file, as the rules see it.
pub(crate) struct Source {
    /// From the root of the workspace, with `/`.
    pub(crate) path: String,
    /// As it is.
    pub(crate) text: String,
    /// Code alone. Strings are empty here.
    pub(crate) code: String,
    /// Comments alone, documentation included.
    pub(crate) comments: String,
    /// What stands between quotes, string by string.
    pub(crate) strings: Vec<Literal>,
    /// First and last line of each item under `#[cfg(test)]`.
    tests: Vec<(usize, usize)>,
}

/// A string of the program.
pub(crate) struct Literal {
    /// Where it begins.
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl Source {
    /// Takes a file apart. Files other than Rust's are all text.
    pub(crate) fn read(path: &str, text: &str) -> Self {
        let mut source = Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code: String::with_capacity(text.len()),
            comments: String::new(),
            strings: Vec::new(),
            tests: Vec::new(),
        };
        if source.is_rust() {
            Cutter::new(text).cut(&mut source);
            source.tests = test_items(&source.code);
        }
        source
    }

    /// Whether its name ends so.
    pub(crate) fn is_a(&self, extension: &str) -> bool {
        self.path
            .rsplit_once('.')
            .is_some_and(|(_, end)| end == extension)
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.is_a("rs")
    }

    /// `im-core` for `crates/im-core/…`.
    pub(crate) fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }

    /// Whether this is Rust code of a crate, its integration tests apart.
    pub(crate) fn is_shipped(&self) -> bool {
        self.is_rust() && self.path.starts_with("crates/") && self.path.contains("/src/")
    }

    /// Whether this is an integration test.
    pub(crate) fn is_test(&self) -> bool {
        self.is_rust() && self.path.contains("/tests/")
    }

    /// Whether a line of a shipped file belongs to its unit tests.
    pub(crate) fn is_unit_test(&self, line: usize) -> bool {
        self.tests
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&line))
    }

    /// The lines of code, numbered from 1.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.code.lines())
    }

    /// Each `use`, on one line, with the line where it begins.
    pub(crate) fn imports(&self) -> Vec<(usize, String)> {
        let mut imports: Vec<(usize, String)> = Vec::new();
        let mut is_open = false;
        for (line, code) in self.code_lines() {
            let code = code.trim();
            if code.starts_with("use ") || (code.starts_with("pub") && code.contains(" use ")) {
                imports.push((line, String::new()));
                is_open = true;
            }
            if let Some((_, import)) = imports.last_mut().filter(|_| is_open) {
                import.push_str(code);
                is_open = !code.ends_with(';');
            }
        }
        imports
    }

    /// The lines of comments, numbered from 1.
    pub(crate) fn comment_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.comments.lines())
    }
}

/// Whether `line` has `word` with nothing that could belong to it on either side.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let begins = word.starts_with(is_part);
    let ends = word.ends_with(is_part);
    line.match_indices(word).any(|(at, _)| {
        let (before, from) = line.split_at(at);
        let after = from.strip_prefix(word).unwrap_or_default();
        let is_longer =
            (begins && before.ends_with(is_part)) || (ends && after.starts_with(is_part));
        !is_longer
    })
}

/// Walks through the characters of a file.
struct Cutter {
    rest: std::iter::Peekable<std::vec::IntoIter<char>>,
    line: usize,
}

impl Cutter {
    fn new(text: &str) -> Self {
        let characters: Vec<char> = text.chars().collect();
        Self {
            rest: characters.into_iter().peekable(),
            line: 1,
        }
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        if next == Some('\n') {
            self.line += 1;
        }
        next
    }

    fn cut(mut self, source: &mut Source) {
        // What the code ended with: tells `r"…"` from a name that ends with an `r`.
        let mut word = String::new();
        while let Some(c) = self.next() {
            let next = self.rest.peek().copied();
            match (c, next) {
                ('/', Some('/')) => self.line_comment(source),
                ('/', Some('*')) => self.block_comment(source),
                ('"', _) => self.string(source, is_raw(&word).then_some(0)),
                ('#', Some('"' | '#')) if is_raw(&word) => self.raw_string(source),
                ('\'', _) => self.quote(source),
                ('\n', _) => newline(source),
                _ => source.code.push(c),
            }
            if c.is_alphanumeric() || c == '_' {
                word.push(c);
            } else {
                word.clear();
            }
        }
    }

    fn line_comment(&mut self, source: &mut Source) {
        source.comments.push('/');
        while let Some(c) = self.rest.next_if(|c| *c != '\n') {
            source.comments.push(c);
        }
    }

    fn block_comment(&mut self, source: &mut Source) {
        let mut depth = 1;
        let mut last = '/';
        self.next();
        while depth > 0 {
            let Some(c) = self.next() else { return };
            match (last, c) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {}
            }
            last = if matches!((last, c), ('/', '*') | ('*', '/')) {
                ' '
            } else {
                c
            };
            match c {
                '\n' => newline(source),
                c => source.comments.push(c),
            }
        }
    }

    /// A string after its first quote; raw ones end with a quote and `hashes`.
    fn string(&mut self, source: &mut Source, hashes: Option<usize>) {
        source.code.push('"');
        let line = self.line;
        let mut text = String::new();
        while let Some(c) = self.next() {
            match (c, hashes) {
                ('\\', None) => {
                    text.push(c);
                    let Some(escaped) = self.next() else { break };
                    text.push(escaped);
                    if escaped == '\n' {
                        newline(source);
                    }
                }
                ('"', None) => break,
                ('"', Some(hashes)) if self.take_hashes(hashes) => break,
                ('\n', _) => {
                    text.push(c);
                    newline(source);
                }
                _ => text.push(c),
            }
        }
        source.code.push('"');
        source.strings.push(Literal { line, text });
    }

    fn raw_string(&mut self, source: &mut Source) {
        let mut hashes = 1;
        while self.rest.next_if_eq(&'#').is_some() {
            hashes += 1;
        }
        if self.rest.next_if_eq(&'"').is_some() {
            self.string(source, Some(hashes));
        }
    }

    /// Eats the hashes after a quote if there are enough of them to end the string.
    fn take_hashes(&mut self, hashes: usize) -> bool {
        let ahead = self.rest.clone().take(hashes);
        let ends = ahead.filter(|c| *c == '#').count() == hashes;
        if ends {
            self.rest.by_ref().take(hashes).for_each(drop);
        }
        ends
    }

    /// A character such as `'"'`, or a lifetime.
    fn quote(&mut self, source: &mut Source) {
        let mut ahead = self.rest.clone();
        match (ahead.next(), ahead.next()) {
            (Some('\\'), _) => {
                self.next();
                self.next();
                while let Some(c) = self.next() {
                    if c == '\'' {
                        break;
                    }
                }
                source.code.push_str("' '");
            }
            (Some(_), Some('\'')) => {
                self.next();
                self.next();
                source.code.push_str("' '");
            }
            _ => source.code.push('\''),
        }
    }
}

fn newline(source: &mut Source) {
    source.code.push('\n');
    source.comments.push('\n');
}

fn is_raw(word: &str) -> bool {
    matches!(word, "r" | "br" | "cr")
}

/// The lines of what `#[cfg(test)]` stands before, up to its closing brace or semicolon.
fn test_items(code: &str) -> Vec<(usize, usize)> {
    let mut items = Vec::new();
    for (at, attribute) in code.match_indices("#[cfg(test)]") {
        let (before, from) = code.split_at(at);
        let first = 1 + before.matches('\n').count();
        let mut depth = 0_usize;
        let mut last = first;
        for c in from.chars().skip(attribute.len()) {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                '\n' => last += 1,
                _ => {}
            }
            if depth == 0 && matches!(c, '}' | ';') {
                break;
            }
        }
        items.push((first, last));
    }
    items
}

#[test]
fn code_strings_and_comments_are_told_apart() {
    let text = "let a = \"x // \\\" y\"; // note \"z\"\n/* one\n /* two */ */ let r = br#\"q\"#;\n\
                let c = '\"'; let d = '\\''; fn f<'a>() {} r\"\\\" let e = 1;\n";
    let source = Source::read("crates/im/src/a.rs", text);
    let strings: Vec<(usize, &str)> = source
        .strings
        .iter()
        .map(|literal| (literal.line, literal.text.as_str()))
        .collect();
    assert_eq!(strings, [(1, "x // \\\" y"), (3, "q"), (4, "\\")]);
    let code: Vec<&str> = source.code.lines().map(str::trim).collect();
    assert_eq!(
        code,
        [
            "let a = \"\";",
            "",
            "let r = br\"\";",
            "let c = ' '; let d = ' '; fn f<'a>() {} r\"\" let e = 1;"
        ]
    );
    assert_eq!(source.comments.lines().count(), 4);
    assert!(source.comments.starts_with("// note \"z\"\n one\n"));
}

#[test]
fn unit_tests_are_told_from_shipped_code() {
    let text =
        "fn a() {}\n#[cfg(test)]\nuse b;\n#[cfg(test)]\nmod tests {\n  fn c() {}\n}\nfn d() {}";
    let source = Source::read("crates/im/src/a.rs", text);
    let lines: Vec<usize> = (1..=8).filter(|line| source.is_unit_test(*line)).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6, 7]);
}
