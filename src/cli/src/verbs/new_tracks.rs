//! What is said of the tracks that nobody had heard.

use segue_train::side::{Gain, New};
use serde_json::{Value, json};

use crate::ui::counted;

/// How many got factors, by what, and what that was found to be worth.
pub fn new_json(tracks: usize, new: &New) -> Value {
    let New { shrinkage, gain } = new;
    let mut value = json!({
        "tracks": tracks,
        "shrinkage": {
            "tag": shrinkage.tag,
            "artist": shrinkage.artist,
            "album": shrinkage.album,
            "trust": shrinkage.trust,
            "scale": shrinkage.scale,
        },
    });
    if let Some(Gain { auc, tracks, listeners, with, without }) = gain {
        value["held_out"] = json!(tracks);
        value["listeners"] = json!(listeners);
        value["auc"] = json!(auc);
        value["recall@20"] = json!(with.recall_20);
        value["recall@20_without"] = json!(without.recall_20);
    }
    value
}

/// The same for a person, with a line break at its end.
pub fn new_text(tracks: usize, new: &New) -> String {
    let given = format!(
        "{} without listeners got factors from artist, album and tags",
        counted(tracks, "track")
    );
    let Some(Gain { auc, tracks, listeners, with, without }) = &new.gain else {
        return format!(
            "{given}; too few listeners of new\n  tracks to choose on how far to trust these\n"
        );
    };
    format!(
        "{given}: of {} held out,\n  one that a listener came to like ranks above another of them in \
         {:.2} % of pairs, 50 % by\n  chance; with them in the ranking recall@20 of all that listeners came to \
         like is {:.4}, without\n  them {:.4}; on {} (chosen on them, so optimistic)\n",
        counted(*tracks, "such track"),
        100.0 * auc,
        with.recall_20,
        without.recall_20,
        counted(*listeners, "listener"),
    )
}
