//! Debian's packages: PostgreSQL and Chromium installed on a machine of our own, such as a CI
//! container, and single programs taken out of a package without installing it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::cargo::{first_line, quietly, succeed};

/// Decides whether installing the server also makes and starts a cluster on port 5432.
const CLUSTER_SETTINGS: &str = "/etc/postgresql-common/createcluster.conf";

/// Whether we are root on a system with apt.
pub(crate) fn is_possible() -> bool {
    Path::new("/etc/debian_version").exists()
        && first_line(Command::new("id").arg("-u")).as_deref() == Some("0")
}

/// Installs the server binaries and nothing that runs: the machine's own settings are as before
/// when it is done.
pub(crate) fn install_postgres() -> anyhow::Result<()> {
    apt_get(&["update", "-q"])?;
    install("postgresql-common")?;
    let settings = fs::read_to_string(CLUSTER_SETTINGS)
        .with_context(|| format!("cannot read {CLUSTER_SETTINGS}"))?;
    fs::write(CLUSTER_SETTINGS, without_main_cluster(&settings))?;
    let installed = install("postgresql");
    fs::write(CLUSTER_SETTINGS, settings)?;
    installed
}

/// Installs a browser, with letters to write with.
pub(crate) fn install_chromium() -> anyhow::Result<()> {
    apt_get(&["update", "-q"])?;
    install("chromium")?;
    install("fonts-dejavu-core")
}

/// Takes the files of a package into `folder`.
pub(crate) fn unpack(package: &str, folder: &Path) -> anyhow::Result<()> {
    let download = || quietly(Command::new("apt-get").args(["download", package]), folder);
    if let Err(error) = download() {
        // Fresh containers have no lists of packages, and only root may fetch them.
        if !is_possible() {
            return Err(error);
        }
        quietly(Command::new("apt-get").args(["update", "-q"]), folder)?;
        download()?;
    }
    let named = format!("{package}_");
    let found = fs::read_dir(folder)?.flatten().find(|file| {
        let name = file.file_name();
        let name = name.to_string_lossy();
        name.starts_with(&named) && name.ends_with(".deb")
    });
    let file = found.with_context(|| format!("apt brought no {package}"))?;
    quietly(
        Command::new("dpkg").arg("-x").arg(file.path()).arg(folder),
        folder,
    )
}

fn install(package: &str) -> anyhow::Result<()> {
    apt_get(&["install", "-q", "-y", "--no-install-recommends", package])
}

fn apt_get(arguments: &[&str]) -> anyhow::Result<()> {
    succeed(
        Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

/// The settings with the last word on `create_main_cluster`, which the later line has.
fn without_main_cluster(settings: &str) -> String {
    let others = settings
        .lines()
        .filter(|line| !line.trim_start().starts_with("create_main_cluster"));
    let mut lines: Vec<&str> = others.collect();
    lines.push("create_main_cluster = false");
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installing_makes_no_cluster() {
        let off = "create_main_cluster = false\n";
        assert_eq!(without_main_cluster(""), off);
        assert_eq!(
            without_main_cluster("#create_main_cluster = true\nssl = on\n"),
            format!("#create_main_cluster = true\nssl = on\n{off}")
        );
        assert_eq!(without_main_cluster("create_main_cluster = true\n"), off);
    }
}
