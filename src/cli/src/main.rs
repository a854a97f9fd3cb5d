//! `segue`: thin verbs over the rooms.

mod config;
mod failure;
mod methods;
mod output;
mod ranking;
mod ui;
mod verbs;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// A recommender that runs where the music plays.
#[derive(Parser)]
#[command(
    name = "segue",
    version,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage.\n\n\
                  Start here:\n  \
                  segue simulate --out events.jsonl --catalogue catalogue.jsonl\n  \
                  segue train events.jsonl --catalogue catalogue.jsonl --out model.segue\n  \
                  segue keys new --keys keys\n  \
                  segue publish model.segue --registry registry --keys keys\n  \
                  segue serve --registry registry --keys keys --www www/dist"
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,

    /// Print the result as one JSON object on standard output, and show no progress; notes and
    /// errors go to standard error as ever.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Verb {
    Simulate(verbs::simulate::Arguments),
    Train(verbs::train::Arguments),
    #[command(subcommand)]
    Evaluate(verbs::evaluate::Protocol),
    Inspect(verbs::inspect::Arguments),
    #[command(subcommand)]
    Keys(verbs::keys::Verb),
    Publish(verbs::publish::Arguments),
    Pull(verbs::pull::Arguments),
    Rollout(verbs::rollout::Arguments),
    Promote(verbs::promote::Arguments),
    Rollback(verbs::rollback::Arguments),
    Refresh(verbs::refresh::Arguments),
    Gc(verbs::gc::Arguments),
    Serve(verbs::serve::Arguments),
    Doctor(verbs::doctor::Arguments),
    #[command(subcommand)]
    Tokens(verbs::tokens::Verb),
    Loop(verbs::cycle::Arguments),
    Compact(verbs::privacy::Compact),
    Export(verbs::privacy::Export),
    Erase(verbs::privacy::Erase),
    Forget(verbs::privacy::Forget),
}

/// The exit code of a wrong command line, and of a wrong configuration.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let line = match config::expanded(&Arguments::command(), std::env::args_os().collect()) {
        Ok(line) => line,
        Err(failure) => {
            ui::Ui::new(true).fail(&failure);
            return ExitCode::from(WRONG_USAGE);
        }
    };
    let Arguments { verb, json } = Arguments::parse_from(line);
    let ui = ui::Ui::new(json);
    let done = match verb {
        Verb::Simulate(arguments) => verbs::simulate::run(&arguments, &ui),
        Verb::Train(arguments) => verbs::train::run(&arguments, &ui),
        Verb::Evaluate(protocol) => verbs::evaluate::run(&protocol, &ui),
        Verb::Inspect(arguments) => verbs::inspect::run(&arguments, &ui),
        Verb::Keys(verb) => verbs::keys::run(&verb, &ui),
        Verb::Publish(arguments) => verbs::publish::run(&arguments, &ui),
        Verb::Pull(arguments) => verbs::pull::run(&arguments, &ui),
        Verb::Rollout(arguments) => verbs::rollout::run(&arguments, &ui),
        Verb::Promote(arguments) => verbs::promote::run(&arguments, &ui),
        Verb::Rollback(arguments) => verbs::rollback::run(&arguments, &ui),
        Verb::Refresh(arguments) => verbs::refresh::run(&arguments, &ui),
        Verb::Gc(arguments) => verbs::gc::run(&arguments, &ui),
        Verb::Serve(arguments) => verbs::serve::run(arguments, &ui),
        Verb::Doctor(arguments) => verbs::doctor::run(&arguments, &ui),
        Verb::Tokens(verb) => verbs::tokens::run(&verb, &ui),
        Verb::Loop(arguments) => verbs::cycle::run(&arguments, &ui),
        Verb::Compact(arguments) => verbs::privacy::compact(&arguments, &ui),
        Verb::Export(arguments) => verbs::privacy::export(&arguments, &ui),
        Verb::Erase(arguments) => verbs::privacy::erase(&arguments, &ui),
        Verb::Forget(arguments) => verbs::privacy::forget(&arguments, &ui),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ui.fail(&failure),
    }
}
