//! What every command is given: a way to ask the API, a way to speak, and the person's clock.
//!
//! The API is opened by the first call, so a command that is wrong in itself opens nothing.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use axum::Router;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::args::Global;
use super::error::{Exit, Failure};
use super::machine::Surroundings;
use super::prompt::Prompt;
use super::ui::Ui;
use crate::client::{Answer, Call, Client};
use crate::local::{Local, LocalOptions};

/// The API takes 1 MiB a request; a text that is longer cannot be sent.
const INPUT_BYTES_MAX: u64 = 1024 * 1024;
/// Where `im serve` is unless it is told otherwise.
const LISTENS_BY_DEFAULT: &str = "http://localhost:8080";
/// Of a data document it takes more.
const DOCUMENT_BYTES_MAX: u64 = 16 * 1024 * 1024;

pub(crate) struct Context {
    pub(crate) ui: Ui,
    pub(crate) now: Timestamp,
    pub(crate) zone: TimeZone,
    pub(crate) interactive: bool,
    pub(crate) prompt: Box<dyn Prompt>,
    stdin: Box<dyn Read>,
    env: fn(&str) -> Option<String>,
    global: Global,
    api: Option<Router>,
    client: Option<Client>,
    local: Option<Local>,
}

impl Context {
    pub(super) fn new(mut ui: Ui, around: Surroundings, global: Global) -> Self {
        ui.json = global.json;
        ui.verbosity = global.verbosity();
        Self {
            ui,
            now: around.now,
            zone: around.zone,
            interactive: around.interactive,
            prompt: around.prompt,
            stdin: around.stdin,
            env: around.env,
            global: global.without_empty(),
            api: around.api,
            client: None,
            local: None,
        }
    }

    /// Asks the API.
    pub(crate) async fn send(&mut self, call: Call) -> Result<Answer, Failure> {
        let client = match self.client.take() {
            Some(client) => client,
            None => self.connect(!call.is_read()).await?,
        };
        self.ui.detail(format_args!("asking {call}"));
        let answer = client.send(&call).await;
        self.client = Some(client);
        Ok(answer?)
    }

    /// Asks the API, and says what it answers as it comes.
    pub(crate) async fn pass_on(&mut self, call: Call) -> Result<(), Failure> {
        let client = match self.client.take() {
            Some(client) => client,
            None => self.connect(!call.is_read()).await?,
        };
        self.ui.detail(format_args!("asking {call}"));
        let ui = &mut self.ui;
        let passed = client.stream(&call, &mut |chunk| ui.raw(chunk)).await;
        self.client = Some(client);
        Ok(passed?)
    }

    async fn connect(&mut self, engine: bool) -> Result<Client, Failure> {
        let acts_as = self.global.acts_as.as_deref();
        if let Some(router) = self.api.take() {
            return Ok(Client::local(router, acts_as)?);
        }
        if let Some(server) = &self.global.server {
            let token = self.global.token.as_deref();
            return Ok(Client::remote(server, token, acts_as)?);
        }
        let options = self.local_options(engine)?;
        let hint = match &options.database_url {
            Some(_) => "the address is that of --database-url or IM_DATABASE_URL, like postgres://user@host/name; without it `im` uses the data directory".to_owned(),
            None => format!(
                "the data directory is {} (--data-dir, IM_DATA_DIR); --server or IM_SERVER uses a running server instead",
                options.data_dir.display()
            ),
        };
        let local = crate::local::open(options).await.map_err(|error| {
            Failure::new(
                Exit::Unavailable,
                format!("cannot open the database: {error:#}"),
            )
            .hint(hint)
        })?;
        let client = Client::local(local.router.clone(), acts_as)?;
        self.local = Some(local);
        Ok(client)
    }

    /// Where the data of this machine is.
    pub(crate) fn local_options(&self, engine: bool) -> Result<LocalOptions, Failure> {
        let data_dir = match &self.global.data_dir {
            Some(given) => given.clone(),
            None => self.default_data_dir()?,
        };
        Ok(LocalOptions {
            data_dir,
            database_url: self.global.database_url.clone(),
            engine,
            verbosity: self.ui.verbosity,
        })
    }

    fn default_data_dir(&self) -> Result<PathBuf, Failure> {
        let shared = (self.env)("XDG_DATA_HOME").map(PathBuf::from);
        let own = || Some(PathBuf::from((self.env)("HOME")?).join(".local/share"));
        let base = shared
            .filter(|path| path.is_absolute())
            .or_else(own)
            .ok_or_else(|| {
                Failure::usage("cannot tell where the data is: HOME is not set")
                    .hint("--data-dir or IM_DATA_DIR says it")
            })?;
        Ok(base.join("im"))
    }

    /// Where the server is, as far as this command knows.
    pub(crate) fn server(&self) -> &str {
        let given = self.global.server.as_deref();
        given.map_or(LISTENS_BY_DEFAULT, |url| url.trim_end_matches('/'))
    }

    /// Whether this command works on this machine's own data.
    pub(crate) fn is_local(&self) -> bool {
        self.global.server.is_none()
    }

    /// Closes what `send` opened.
    pub(super) async fn close(&mut self) {
        self.client = None;
        if let Some(local) = self.local.take() {
            local.shutdown().await;
        }
    }

    /// A variable of the environment.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        (self.env)(name)
    }

    /// A value as it was given, or from a file (`@file`), or from standard input (`-`).
    pub(crate) fn value(&mut self, given: &str) -> Result<String, Failure> {
        match given.strip_prefix('@') {
            Some(path) => read_file(Path::new(path), INPUT_BYTES_MAX),
            None => self.text(given),
        }
    }

    /// A whole document, from a file or from standard input (`-`).
    pub(crate) fn document(&mut self, path: &Path) -> Result<String, Failure> {
        let name = path.display().to_string();
        if name == "-" {
            return read_all(&mut self.stdin, "standard input", DOCUMENT_BYTES_MAX);
        }
        read_file(path, DOCUMENT_BYTES_MAX)
    }

    /// A text as it was given, or from standard input (`-`). Texts may begin with @.
    pub(crate) fn text(&mut self, given: &str) -> Result<String, Failure> {
        if given == "-" {
            read_all(&mut self.stdin, "standard input", INPUT_BYTES_MAX)
        } else {
            Ok(given.to_owned())
        }
    }

    /// Asks before something that cannot be taken back; `yes` answers in advance.
    pub(crate) fn confirm(&mut self, question: &str, yes: bool) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        if !self.interactive {
            return Err(Failure::usage(
                "this asks before it acts, and there is no terminal to ask on",
            )
            .hint("`--yes` answers in advance"));
        }
        if self.prompt.confirm(question)? {
            Ok(())
        } else {
            Err(Failure::new(Exit::Refused, "you said no; nothing changed"))
        }
    }
}

fn read_file(path: &Path, bytes_max: u64) -> Result<String, Failure> {
    let name = path.display().to_string();
    let mut file =
        File::open(path).map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
    read_all(&mut file, &name, bytes_max)
}

/// Reads to the end; the line end that editors and `echo` add is not part of the value.
fn read_all(source: &mut dyn Read, name: &str, bytes_max: u64) -> Result<String, Failure> {
    let mut text = String::new();
    source
        .take(bytes_max + 1)
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
    if u64::try_from(text.len()).is_ok_and(|bytes| bytes > bytes_max) {
        let most = bytes_max / (1024 * 1024);
        return Err(Failure::usage(format!("{name} has more than {most} MiB")));
    }
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text)
}
