//! Options of the verbs that run for long, from the environment and from a file too.
//!
//! `--move-every 60` of `segue serve` is also `SEGUE_SERVE_MOVE_EVERY=60`, or `move-every = 60` under `[serve]` of the TOML
//! file that `--config` or `SEGUE_CONFIG` names. What is said on the command line goes before the environment, and that
//! before the file. What is given more than once is a list in the file, and set off by commas in the environment.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::PathBuf,
};

use clap::{Arg, ArgMatches, Command, parser::ValueSource};
use toml::{Table, Value};

use crate::failure::Failure;

/// The verbs that are configured so.
pub const VERBS: [&str; 2] = ["serve", "loop"];

/// The option that names the file.
pub const CONFIG: &str = "config";

/// The command line with what the environment and the file add to it.
pub fn expanded(command: &Command, line: Vec<OsString>) -> Result<Vec<OsString>, Failure> {
    // Whatever is missing may be added, and whatever is wrong is told when all is there.
    let matches = command.clone().ignore_errors(true).get_matches_from(&line);
    let Some((verb, given)) = matches.subcommand().filter(|(verb, _)| VERBS.contains(verb)) else {
        return Ok(line);
    };
    let Some(command) = command.find_subcommand(verb) else { return Ok(line) };
    let table = table(given, verb, command)?;
    let mut added = Vec::new();
    let mut places = Vec::new();
    for option in options(command) {
        let name = name_of(option);
        let said = given.value_source(option.get_id().as_str());
        if matches!(said, Some(ValueSource::CommandLine)) {
            continue;
        }
        let values = match env::var_os(variable(verb, &name)) {
            Some(value) => from_environment(option, &value),
            None => match table.get(&name) {
                Some(value) => from_file(verb, &name, value)?,
                None => continue,
            },
        };
        for value in values {
            if option.is_positional() {
                places.push(value);
            } else if option.get_action().takes_values() {
                let mut argument = OsString::from(format!("--{name}="));
                argument.push(value);
                added.push(argument);
            } else if is_yes(verb, &name, &value)? {
                added.push(format!("--{name}").into());
            }
        }
    }
    // Right behind the verb, so that nothing that is said hides it.
    let at = line.iter().position(|word| word == verb).map_or(line.len(), |at| at + 1);
    let mut line = line;
    line.splice(at..at, added);
    if !places.is_empty() {
        line.push("--".into());
        line.extend(places);
    }
    Ok(line)
}

/// Where options come from that the command line does not have.
#[derive(clap::Args)]
pub struct Configured {
    /// A TOML file with options of this verb; those of the environment and of the command line go before it.
    #[arg(long, value_name = "FILE")]
    #[allow(dead_code, reason = "it is read before the others are parsed")]
    config: Option<PathBuf>,
}

/// The variable of an option.
pub fn variable(verb: &str, name: &str) -> String {
    format!("SEGUE_{}_{}", verb.to_uppercase(), name.to_uppercase().replace('-', "_"))
}

/// The options of a verb that can be configured.
pub fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    let own =
        |option: &&Arg| !["help", "version", "json", CONFIG].contains(&option.get_id().as_str());
    command.get_arguments().filter(own)
}

/// What an option is called in a file.
pub fn name_of(option: &Arg) -> String {
    option.get_long().map_or_else(|| option.get_id().to_string(), Into::into)
}

/// What the file says of a verb; nothing where no file is named.
fn table(given: &ArgMatches, verb: &str, command: &Command) -> Result<Table, Failure> {
    let named = given.try_get_one::<PathBuf>(CONFIG).ok().flatten().cloned();
    let Some(path) = named.or_else(|| env::var_os("SEGUE_CONFIG").map(PathBuf::from)) else {
        return Ok(Table::new());
    };
    let text = fs::read_to_string(&path)
        .map_err(|error| Failure::during(format!("cannot read {}", path.display()), error))?;
    let mut whole: Table =
        text.parse().map_err(|error| Failure::during(path.display().to_string(), error))?;
    let wrong = |what: String| Failure::from(format!("{}: {what}", path.display()));
    if let Some(other) = whole.keys().find(|key| !VERBS.contains(&key.as_str())) {
        return Err(wrong(format!("there is no [{other}]: there are [serve] and [loop]")));
    }
    let Some(table) = whole.remove(verb) else { return Ok(Table::new()) };
    let Value::Table(table) = table else { return Err(wrong(format!("{verb} is no table"))) };
    let known: Vec<String> = options(command).map(name_of).collect();
    match table.keys().find(|key| !known.contains(key)) {
        Some(other) => {
            Err(wrong(format!("[{verb}] has no option {other}: there are {}", known.join(", "))))
        }
        None => Ok(table),
    }
}

fn from_environment(option: &Arg, value: &OsStr) -> Vec<OsString> {
    let many = matches!(option.get_action(), clap::ArgAction::Append) || option.is_positional();
    match value.to_str().filter(|_| many) {
        Some(text) => text.split(',').filter(|part| !part.is_empty()).map(Into::into).collect(),
        None => vec![value.to_owned()],
    }
}

fn from_file(verb: &str, name: &str, value: &Value) -> Result<Vec<OsString>, Failure> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.into()),
        Value::Integer(number) => Ok(number.to_string().into()),
        Value::Float(number) => Ok(number.to_string().into()),
        Value::Boolean(yes) => Ok(yes.to_string().into()),
        _ => Err(Failure::from(format!(
            "{name} of [{verb}] is neither text nor number nor true nor false"
        ))),
    };
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        value => Ok(vec![text(value)?]),
    }
}

fn is_yes(verb: &str, name: &str, value: &OsStr) -> Result<bool, Failure> {
    match value.to_str() {
        Some("true" | "1" | "yes") => Ok(true),
        Some("false" | "0" | "no" | "") => Ok(false),
        _ => Err(Failure::from(format!(
            "{name} of {verb} is {}: give true or false",
            value.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use clap::CommandFactory;

    use super::*;
    use crate::Arguments;

    /// Every option of the verbs that run for long, as the documentation has them.
    fn documented() -> String {
        let mut text = String::from(
            "# Configuration\n\n\
             `segue serve` and `segue loop` take every option from the command line, from the environment, or from a TOML\n\
             file that `--config` or `SEGUE_CONFIG` names; the first of these that has it counts. What may be given again is a\n\
             list in the file, and set off by commas in the environment. This page is made of the options themselves, and a test\n\
             holds it to them: `BLESS=1 cargo test -p segue-cli configuration` writes it anew.\n",
        );
        for verb in VERBS {
            let command = Arguments::command();
            let command = command.find_subcommand(verb).unwrap();
            text += &format!(
                "\n## `[{verb}]`\n\n| in the file | in the environment | default | is |\n|---|---|---|---|\n"
            );
            for option in options(command) {
                let name = name_of(option);
                let default: Vec<_> = option
                    .get_default_values()
                    .iter()
                    .map(|value| value.display().to_string())
                    .collect();
                let default = if option.get_action().takes_values() {
                    default.join(", ")
                } else {
                    "false".into()
                };
                let help = option
                    .get_help()
                    .map(ToString::to_string)
                    .unwrap_or_default()
                    .replace('|', "\\|");
                text +=
                    &format!("| `{name}` | `{}` | {default} | {help} |\n", variable(verb, &name));
            }
        }
        text
    }

    #[test]
    fn the_table_of_the_configuration_is_what_there_is() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        if env::var_os("BLESS").is_some() {
            fs::write(path, documented()).unwrap();
        }
        let written = fs::read_to_string(path).unwrap_or_default();
        assert!(
            written == documented(),
            "BLESS=1 cargo test -p segue-cli configuration writes docs/configuration.md anew"
        );
    }
}
