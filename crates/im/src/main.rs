//! The `im` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    im::cli::main()
}
