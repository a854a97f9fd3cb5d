//! Which methods competed for the factors, for people and for machines.

use segue_train::{
    factors::{Method, Settings},
    search::Attempts,
};
use serde_json::{Value, json};

/// What was tried, method by method.
pub fn tried_json(tried: &[Attempts]) -> Value {
    let each = tried.iter().map(|attempts| {
        let Attempts { best, accuracy, count } = attempts;
        json!({
            "method": best.method.name(),
            "settings": settings_json(best),
            "settings_tried": count,
            "listeners": accuracy.listeners,
            "valid_recall@10": accuracy.recall_10,
            "valid_ndcg@10": accuracy.ndcg_10,
        })
    });
    each.collect()
}

/// Settings of a method; only those that it has.
pub fn settings_json(settings: &Settings) -> Value {
    let Settings { method, loss, epochs } = settings;
    match method {
        Method::Popularity => json!({}),
        Method::Als => json!({
            "unobserved": loss.unobserved,
            "ridge": loss.ridge,
            "exponent": loss.exponent,
            "epochs": epochs,
        }),
        Method::Spectral(degrees, shape) => json!({
            "degrees": [degrees.listeners, degrees.tracks],
            "beyond": degrees.beyond,
            "ridge": shape.ridge,
            "popularity": shape.popularity,
        }),
        Method::Contrast(degrees, shape, contrast) => json!({
            "degrees": [degrees.listeners, degrees.tracks],
            "beyond": degrees.beyond,
            "ridge": shape.ridge,
            "popularity": shape.popularity,
            "rate": contrast.rate,
            "decay": contrast.decay,
            "dropout": contrast.dropout,
            "epochs": epochs,
        }),
    }
}

/// A table of what was tried, the method that was chosen marked.
pub fn tried_table(tried: &[Attempts], chosen: &Settings) -> String {
    let mut table = String::from("  method       settings  recall@10   ndcg@10");
    for Attempts { best, accuracy, count } in tried {
        let name = best.method.name();
        let mark = if name == chosen.method.name() { '*' } else { ' ' };
        let (recall, ndcg) = (accuracy.recall_10, accuracy.ndcg_10);
        table.push_str(&format!("\n{mark} {name:<12} {count:>8}  {recall:>9.4} {ndcg:>9.4}"));
    }
    table
}

/// What was chosen, in a line.
pub fn chosen_text(settings: &Settings) -> String {
    let Settings { method, loss, epochs } = settings;
    match method {
        Method::Popularity => {
            "nothing ranks better than popularity by more than chance may do: the model ranks \
                               by popularity, the same for all"
                .into()
        }
        Method::Als => format!(
            "als: unobserved weight {:.2e}, ridge {:.2e}, exponent {}, {epochs} epochs",
            loss.unobserved, loss.ridge, loss.exponent
        ),
        Method::Spectral(degrees, shape) => format!(
            "{}: degrees to the power of {:.2} and, with {:.0} beyond a track's own, {:.2}; ridge {:.1}, \
             popularity to the power of {:.2}",
            method.name(),
            degrees.listeners,
            degrees.beyond,
            degrees.tracks,
            shape.ridge,
            shape.popularity
        ),
        Method::Contrast(_, _, contrast) => format!(
            "contrastive: rate {:.1e}, decay {:.2}, dropout {:.1}, {epochs} epochs from spectral \
             factors on",
            contrast.rate, contrast.decay, contrast.dropout
        ),
    }
}
