//! Titles and names that read like music, from a grammar of word lists.
//!
//! The grammar is a text of sections, one a style, whose lines say `key = one | two | three`; its
//! own head explains it. Expansion is random and linear in the length of the result.

use std::collections::HashSet;

use rand::{Rng, RngExt};

use crate::num::pick;

/// Nesting of rules beyond which a slot stays empty, so that no grammar can recurse for ever.
const MAX_DEPTH: u32 = 5;

/// Words that titles keep in lower case unless they come first, in English, Spanish and Portuguese.
const SMALL: [&str; 39] = [
    "a", "a.m.", "al", "an", "and", "as", "at", "but", "by", "da", "de", "del", "do", "el", "em",
    "en", "for", "from", "in", "la", "las", "los", "na", "no", "nor", "of", "on", "or", "over",
    "pelas", "por", "pra", "sem", "sin", "sob", "the", "to", "with", "y",
];

/// The section whose rules every style shares.
const SHARED: &str = "common";

struct Rule {
    key: &'static str,
    /// For whose names the rule is, where it is not for all.
    culture: Option<&'static str>,
    options: Vec<&'static str>,
}

struct Section {
    name: &'static str,
    rules: Vec<Rule>,
}

impl Section {
    fn options(&self, key: &str, culture: Option<&str>) -> Option<&[&'static str]> {
        let fits = |rule: &&Rule| rule.key == key && rule.culture == culture;
        self.rules.iter().find(fits).map(|rule| rule.options.as_slice())
    }
}

/// The word lists of every style.
pub(crate) struct Grammar {
    sections: Vec<Section>,
}

/// Which words to use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voice<'a> {
    /// A section of the grammar.
    pub style: &'a str,
    /// The culture whose people's names are used.
    pub culture: &'a str,
}

impl Grammar {
    /// The grammar that is part of this crate.
    pub fn standard() -> Self {
        Self::parse(include_str!("../words/grammar.txt"))
    }

    fn parse(text: &'static str) -> Self {
        let mut sections: Vec<Section> = Vec::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                sections.push(Section { name, rules: Vec::new() });
            } else if let (Some((key, options)), Some(section)) =
                (line.split_once(" = "), sections.last_mut())
            {
                let (key, culture) =
                    key.split_once('.').map_or((key, None), |(key, culture)| (key, Some(culture)));
                section.rules.push(Rule { key, culture, options: options.split(" | ").collect() });
            }
        }
        Self { sections }
    }

    fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    fn options(&self, key: &str, voice: Voice<'_>) -> &[&'static str] {
        let (own, shared) = (self.section(voice.style), self.section(SHARED));
        own.and_then(|section| section.options(key, None))
            .or_else(|| shared.and_then(|section| section.options(key, Some(voice.culture))))
            .or_else(|| shared.and_then(|section| section.options(key, None)))
            .unwrap_or_default()
    }

    /// One random expansion of `key`, with a capital at its head.
    pub fn expand<R: Rng + ?Sized>(&self, key: &str, voice: Voice<'_>, rng: &mut R) -> String {
        let mut text = String::with_capacity(32);
        self.write(key, voice, &mut text, 0, rng);
        capitalised(&text)
    }

    fn write<R: Rng + ?Sized>(
        &self,
        key: &str,
        voice: Voice<'_>,
        out: &mut String,
        depth: u32,
        rng: &mut R,
    ) {
        let Some(mut rest) = pick(rng, self.options(key, voice)).copied() else { return };
        if !rest.contains('{') {
            push_title_case(rest, out);
            return;
        }
        while let Some((literal, (slot, after))) =
            rest.split_once('{').and_then(|(head, tail)| Some((head, tail.split_once('}')?)))
        {
            out.push_str(literal);
            if depth < MAX_DEPTH {
                self.fill(slot, voice, out, depth + 1, rng);
            }
            rest = after;
        }
        out.push_str(rest);
    }

    /// Fills one slot, avoiding words that the text already has.
    fn fill<R: Rng + ?Sized>(
        &self,
        slot: &str,
        voice: Voice<'_>,
        out: &mut String,
        depth: u32,
        rng: &mut R,
    ) {
        if let Some(most) = slot.strip_prefix('#').and_then(|digits| digits.parse::<u32>().ok()) {
            out.push_str(&rng.random_range(1..=most.max(1)).to_string());
            return;
        }
        let (article, key) = slot.strip_prefix("a ").map_or((false, slot), |key| (true, key));
        let mut word = String::new();
        for _ in 0..4 {
            word.clear();
            self.write(key, voice, &mut word, depth, rng);
            if !out.contains(&word) {
                break;
            }
        }
        if article {
            out.push_str(if word.starts_with(['A', 'E', 'I', 'O', 'U']) { "an " } else { "a " });
        }
        out.push_str(&word);
    }

    /// An expansion of `key` that `used` does not have yet, and then has. Where a few tries find
    /// none, one that exists gets an addition from `{key}-version`; that may exist too, though
    /// rarely.
    pub fn fresh<R: Rng + ?Sized>(
        &self,
        key: &str,
        voice: Voice<'_>,
        used: &mut HashSet<String>,
        rng: &mut R,
    ) -> String {
        let mut text = String::new();
        for _ in 0..5 {
            text = self.expand(key, voice, rng);
            if !used.contains(&text) {
                break;
            }
        }
        for _ in 0..5 {
            if !used.contains(&text) {
                break;
            }
            let plain = self.expand(key, voice, rng);
            text = format!("{plain} {}", self.expand(&format!("{key}-version"), voice, rng));
        }
        used.insert(text.clone());
        text
    }
}

fn push_title_case(words: &str, out: &mut String) {
    for (index, word) in words.split(' ').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        if SMALL.contains(&word) {
            out.push_str(word);
        } else {
            push_capitalised(word, out);
        }
    }
}

fn push_capitalised(word: &str, out: &mut String) {
    let mut letters = word.chars();
    if let Some(first) = letters.next() {
        out.extend(first.to_uppercase());
        out.push_str(letters.as_str());
    }
}

fn capitalised(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_capitalised(text, &mut out);
    out
}

/// `text` as a heading: a capital on each word that carries meaning.
pub(crate) fn title_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_title_case(text, &mut out);
    capitalised(&out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genre::profiles;
    use crate::num::generator;

    /// Every slot of every rule names a rule that some section can answer for it.
    #[test]
    fn every_slot_has_words() {
        let grammar = Grammar::standard();
        for section in &grammar.sections {
            let voice = Voice { style: section.name, culture: "en" };
            for option in section.rules.iter().flat_map(|rule| &rule.options) {
                for part in option.split('{').skip(1) {
                    let (slot, _) = part.split_once('}').expect("a slot is closed");
                    let key = slot.strip_prefix("a ").unwrap_or(slot);
                    let number = key.strip_prefix('#').is_some_and(|n| n.parse::<u32>().is_ok());
                    assert!(
                        number || !grammar.options(key, voice).is_empty(),
                        "[{}] {option}: no words for {{{slot}}}",
                        section.name
                    );
                }
            }
        }
    }

    /// Every genre has a section of its own with titles and artists.
    #[test]
    fn every_genre_has_a_style() {
        let grammar = Grammar::standard();
        for profile in profiles(&mut generator(1, 1)).0 {
            let section = grammar.section(profile.style).expect(profile.style);
            assert!(section.options("title", None).is_some(), "{}", profile.name);
            assert!(section.options("artist", None).is_some(), "{}", profile.name);
        }
    }

    /// Titles keep small words small, except at the head.
    #[test]
    fn title_case_keeps_small_words() {
        assert_eq!(title_case("the end of the road"), "The End of the Road");
    }
}
