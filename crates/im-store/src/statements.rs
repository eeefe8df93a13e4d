//! How a module names its statements.

/// Declares statements as constants, and lists them for the test that prepares each on both
/// databases. The first line of a statement's text is its name.
macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {
        $(const $name: &str = $sql;)*

        /// Every statement of this module, for the test that prepares them all.
        pub const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

pub(crate) use statements;
