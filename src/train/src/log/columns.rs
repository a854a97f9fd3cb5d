//! Which column of a log holds which field of an event.
//!
//! Names are recognised without regard to case and punctuation (`user_id`, `userId` and
//! `User ID` are one name), and with `context.` before them where a context holds the field. Where
//! several columns could hold a field, the one whose name stands first in [`Field::names`] is
//! taken, and [`super::Summary::columns`] says which it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::error::ColumnError;

/// One thing that a log may say about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Field {
    /// Name of the event.
    Id,
    /// Who listened. Required.
    User,
    /// In which sitting.
    Session,
    /// To what. Required.
    Track,
    /// When. Required.
    At,
    /// What happened; a play where absent.
    Kind,
    /// Whether the listener cut it short: makes a skip of what would be a play.
    Skipped,
    /// Milliseconds heard.
    PlayedMs,
    /// Length of the track in milliseconds.
    DurationMs,
    /// Fraction heard, from 0.
    PlayRatio,
    /// ISO 3166-1 alpha-2.
    Region,
    /// Minutes to add to UTC for the listener's own time of day.
    TzOffsetMin,
    /// What it was played on.
    Device,
    /// The playlist or page that the track came from.
    Source,
    /// Name of a mood.
    Mood,
    /// Title of the track, to show.
    Title,
    /// Artist of the track.
    Artist,
    /// Album of the track.
    Album,
    /// Genres and moods of the track.
    Tags,
    /// Of an impression: the chance with which it was offered.
    Propensity,
    /// Of an impression: the tracks that it was drawn among.
    Candidates,
}

impl Field {
    /// Every field, in the order of its discriminant.
    pub const ALL: [Self; 21] = [
        Self::Id,
        Self::User,
        Self::Session,
        Self::Track,
        Self::At,
        Self::Kind,
        Self::Skipped,
        Self::PlayedMs,
        Self::DurationMs,
        Self::PlayRatio,
        Self::Region,
        Self::TzOffsetMin,
        Self::Device,
        Self::Source,
        Self::Mood,
        Self::Title,
        Self::Artist,
        Self::Album,
        Self::Tags,
        Self::Propensity,
        Self::Candidates,
    ];

    /// The fields of an offer, which are read on request only ([`super::Options::offers`]).
    pub const OFFER: [Self; 2] = [Self::Propensity, Self::Candidates];

    /// The fields without which a row is not an event.
    pub const REQUIRED: [Self; 3] = [Self::User, Self::Track, Self::At];

    /// The field's own name, as in `--column field=name`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::User => "user",
            Self::Session => "session",
            Self::Track => "track",
            Self::At => "at",
            Self::Kind => "kind",
            Self::Skipped => "skipped",
            Self::PlayedMs => "played_ms",
            Self::DurationMs => "duration_ms",
            Self::PlayRatio => "play_ratio",
            Self::Region => "region",
            Self::TzOffsetMin => "tz_offset_min",
            Self::Device => "device",
            Self::Source => "source",
            Self::Mood => "mood",
            Self::Title => "title",
            Self::Artist => "artist",
            Self::Album => "album",
            Self::Tags => "tags",
            Self::Propensity => "propensity",
            Self::Candidates => "candidates",
        }
    }

    /// The names by which the field is recognised, best first, in lower case and without
    /// punctuation. A name that leaves the unit open (`duration`, `played`) is not among them:
    /// whoever knows the unit says so by `--column`.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Id => &["id", "eventid"],
            Self::User => &[
                "user",
                "userid",
                "uid",
                "username",
                "listener",
                "listenerid",
                "account",
                "accountid",
                "member",
                "memberid",
            ],
            Self::Session => &["session", "sessionid", "sid"],
            Self::Track => &[
                "track",
                "trackid",
                "trackuri",
                "trackmbid",
                "spotifytrackuri",
                "song",
                "songid",
                "recording",
                "recordingid",
                "recordingmbid",
                "recordingmsid",
                "item",
                "itemid",
            ],
            Self::At => &[
                "at",
                "timestamp",
                "ts",
                "time",
                "datetime",
                "playedat",
                "listenedat",
                "startedat",
                "createdat",
                "eventtime",
                "timestampms",
                "timems",
                "unix",
                "unixtime",
                "unixtimestamp",
                "epoch",
                "uts",
                "date",
            ],
            Self::Kind => &["kind", "event", "eventkind", "eventtype", "action", "actiontype"],
            Self::Skipped => &["skipped", "isskipped", "wasskipped", "skip"],
            Self::PlayedMs => &["playedms", "msplayed", "playtimems", "listenedms"],
            Self::DurationMs => &["durationms", "msduration", "trackdurationms", "lengthms"],
            Self::PlayRatio => &["playratio", "playedratio", "listenratio", "heard", "completion"],
            Self::Region => &["region", "regioncode", "country", "countrycode", "conncountry"],
            Self::TzOffsetMin => {
                &["tzoffsetmin", "tzoffsetminutes", "utcoffsetmin", "utcoffsetminutes"]
            }
            Self::Device => &["device", "devicetype", "platform"],
            Self::Source => &["source", "sourcename", "playlist", "playlistname", "playlistid"],
            Self::Mood => &["mood"],
            Self::Title => &[
                "title",
                "trackname",
                "tracktitle",
                "songname",
                "songtitle",
                "recordingname",
                "itemname",
                "name",
            ],
            Self::Artist => &["artist", "artistname", "artistid", "performer"],
            Self::Album => &["album", "albumname", "albumtitle", "release", "releasename"],
            Self::Tags => &["tags", "tag", "genres", "genre"],
            Self::Propensity => &["propensity", "propensityscore", "pscore"],
            Self::Candidates => &["candidates", "candidateids", "candidatetracks"],
        }
    }

    /// Whether [`super::Context`] holds it.
    const fn is_context(self) -> bool {
        matches!(self, Self::Region | Self::TzOffsetMin | Self::Device | Self::Source | Self::Mood)
    }

    /// Whether a value may be a list.
    pub(super) const fn is_list(self) -> bool {
        matches!(self, Self::Tags | Self::Candidates)
    }

    /// Whether a column of the name `plain` is one that goes by `name`. The name and the id of a
    /// context are a playlist's, not a track's or an event's.
    fn goes_by(self, name: &str, plain: &str) -> bool {
        let bare = plain.strip_prefix("context").filter(|_| self.is_context());
        plain == name || bare == Some(name)
    }

    /// Position in [`Self::ALL`].
    pub(super) const fn index(self) -> usize {
        self as usize
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which column was used for a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnUse {
    /// The field.
    pub field: Field,
    /// The column's name in the file.
    pub name: String,
}

/// The columns that the caller named; all others are recognised.
///
/// A column that is named for one field no longer serves the field that its own name suggests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// `None`: the field is not to be read.
    given: BTreeMap<Field, Option<String>>,
}

impl Columns {
    /// Reads the arguments of `--column`: `field=name`, or `field=` to leave a field out.
    ///
    /// # Errors
    /// An argument without `=`, an unknown field, a field or a column named twice, a required
    /// field left out.
    pub fn parse<S: AsRef<str>>(
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Self, ColumnError> {
        let mut given = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for argument in arguments {
            let argument = argument.as_ref();
            let Some((field, column)) = argument.split_once('=') else {
                return Err(ColumnError::Argument(argument.into()));
            };
            let field = Field::named(field.trim())
                .ok_or_else(|| ColumnError::UnknownField(field.trim().into()))?;
            if column.is_empty() && Field::REQUIRED.contains(&field) {
                return Err(ColumnError::Required(field));
            }
            if !column.is_empty() && !taken.insert(column.to_owned()) {
                return Err(ColumnError::Shared(column.into()));
            }
            let column = (!column.is_empty()).then(|| column.to_owned());
            if given.insert(field, column).is_some() {
                return Err(ColumnError::Twice(field));
            }
        }
        Ok(Self { given })
    }

    /// The same, with `fields` left out whatever was said of them.
    pub(super) fn without(&self, fields: &[Field]) -> Self {
        let mut given = self.given.clone();
        given.extend(fields.iter().map(|&field| (field, None)));
        Self { given }
    }

    /// For each column of a header, the field that it holds, if any.
    pub(super) fn bind(&self, header: &[String]) -> Result<Vec<Option<Field>>, ColumnError> {
        let mut bound = vec![None; header.len()];
        for (&field, name) in &self.given {
            if let Some(name) = name {
                bound[given_column(field, name, header)?] = Some(field);
            }
        }
        let plain: Vec<String> = header.iter().map(|name| normalise(name)).collect();
        for field in Field::ALL.into_iter().filter(|field| !self.given.contains_key(field)) {
            if let Some(column) = recognised_column(field, header, &plain, &bound)? {
                bound[column] = Some(field);
            }
        }
        let missing: Vec<Field> = Field::REQUIRED
            .into_iter()
            .filter(|&required| !bound.contains(&Some(required)))
            .collect();
        if missing.is_empty() {
            Ok(bound)
        } else {
            Err(ColumnError::Missing { missing, header: header.to_vec() })
        }
    }

    /// What the key of a JSON object holds, and how well its name fits: 0 is best.
    pub(super) fn recognise(&self, key: &str) -> Option<(Field, usize)> {
        let named = |name: &Option<String>| {
            name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(key))
        };
        if let Some((&field, _)) = self.given.iter().find(|(_, name)| named(name)) {
            return Some((field, 0));
        }
        let plain = normalise(key);
        Field::ALL.into_iter().filter(|field| !self.given.contains_key(field)).find_map(|field| {
            let fit = field.names().iter().position(|name| field.goes_by(name, &plain));
            fit.map(|fit| (field, fit))
        })
    }
}

/// The column that the caller named: by its exact name, else without regard to case.
fn given_column(field: Field, name: &str, header: &[String]) -> Result<usize, ColumnError> {
    let exact = single(field, header, |column| header[column] == name)?;
    if let Some(column) = exact {
        return Ok(column);
    }
    single(field, header, |column| header[column].eq_ignore_ascii_case(name))?.ok_or_else(|| {
        ColumnError::Absent { field, name: name.to_owned(), header: header.to_vec() }
    })
}

/// The free column whose name fits the field best.
fn recognised_column(
    field: Field,
    header: &[String],
    plain: &[String],
    bound: &[Option<Field>],
) -> Result<Option<usize>, ColumnError> {
    for name in field.names() {
        let fits = |column: usize| bound[column].is_none() && field.goes_by(name, &plain[column]);
        if let Some(column) = single(field, header, fits)? {
            return Ok(Some(column));
        }
    }
    Ok(None)
}

/// The one column that fits; an error where there are two.
fn single(
    field: Field,
    header: &[String],
    fits: impl Fn(usize) -> bool,
) -> Result<Option<usize>, ColumnError> {
    let mut columns = (0..header.len()).filter(|&column| fits(column));
    match (columns.next(), columns.next()) {
        (Some(first), Some(second)) => Err(ColumnError::Duplicate {
            field,
            columns: [(first + 1, header[first].clone()), (second + 1, header[second].clone())],
        }),
        (first, _) => Ok(first),
    }
}

/// Lower case, without punctuation.
fn normalise(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
