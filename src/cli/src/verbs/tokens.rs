//! `segue tokens`.

use std::path::PathBuf;

use segue_serve::access::{Grant, Scope, Tokens};
use serde_json::json;

use crate::{
    failure::{Done, Failure},
    ui::{Ui, counted},
};

/// Make and take back the tokens by which sites may send events.
#[derive(clap::Subcommand)]
#[command(
    after_help = "Example:\n  segue tokens new --tokens tokens.json --site player.example --scope events\n  \
                  segue serve --registry registry --collect intake --tokens tokens.json"
)]
pub enum Verb {
    /// Make a token for a site; it is shown once, and the file holds only its digest.
    New(New),
    /// Show which sites have tokens, and what for.
    List(File),
    /// Take every token of a site back; a server that runs is to be started again.
    Revoke(Revoke),
}

/// Which file.
#[derive(clap::Args)]
pub struct File {
    /// The file of tokens.
    #[arg(long, value_name = "FILE")]
    tokens: PathBuf,
}

/// For whom, and what for.
#[derive(clap::Args)]
pub struct New {
    #[command(flatten)]
    file: File,
    /// Whose it is: any name, such as the host of its pages.
    #[arg(long)]
    site: String,
    /// What it allows: events or metrics; may be given again.
    #[arg(long, required = true)]
    scope: Vec<Scope>,
}

/// Whose.
#[derive(clap::Args)]
pub struct Revoke {
    #[command(flatten)]
    file: File,
    /// The site.
    #[arg(long)]
    site: String,
}

pub fn run(verb: &Verb, ui: &Ui) -> Done {
    match verb {
        Verb::New(New { file, site, scope }) => {
            let mut tokens =
                if file.tokens.exists() { Tokens::read(&file.tokens)? } else { Tokens::default() };
            let token = tokens.grant(site, scope)?;
            tokens.write(&file.tokens)?;
            let json = json!({ "site": site, "scopes": scope, "token": token });
            let text = format!("{token}\nkeep it: {} holds only its digest", file.tokens.display());
            ui.finish(&json, &text)
        }
        Verb::List(File { tokens }) => {
            let tokens = Tokens::read(tokens)?;
            let json = tokens
                .grants()
                .iter()
                .map(|Grant { site, scopes, .. }| json!({ "site": site, "scopes": scopes }));
            let json = json!({ "tokens": json.collect::<Vec<_>>() });
            let line = |Grant { site, scopes, .. }: &Grant| {
                let scopes: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
                format!("{site}: {}\n", scopes.join(", "))
            };
            let lines: String = tokens.grants().iter().map(line).collect();
            ui.finish(&json, if lines.is_empty() { "no tokens" } else { &lines })
        }
        Verb::Revoke(Revoke { file, site }) => {
            let mut tokens = Tokens::read(&file.tokens)?;
            let gone = tokens.revoke(site);
            if gone == 0 {
                return Err(Failure::from(format!(
                    "{} has no token of {site}: segue tokens list shows those it has",
                    file.tokens.display()
                )));
            }
            tokens.write(&file.tokens)?;
            let text = format!("took back {} of {site}", counted(gone, "token"));
            ui.finish(&json!({ "site": site, "revoked": gone }), &text)
        }
    }
}
