//! Which tracks of an artist are of one album.

use std::collections::HashMap;

use segue_core::catalogue::Track;

/// The number of each track's album among those of its artist, from 1, in the order in which they come; 0 where artist
/// or album is not named, and beyond the 255th of an artist. `None` where no track has one.
pub fn numbers(tracks: &[Track]) -> Option<Vec<u8>> {
    numbers_after(tracks, &vec![None; tracks.len()])
}

/// The same where some tracks have a number of an earlier version, 0 where their album was not named: albums keep theirs.
pub fn numbers_after(tracks: &[Track], earlier: &[Option<u8>]) -> Option<Vec<u8>> {
    let mut of_artist: HashMap<&str, HashMap<&str, u8>> = HashMap::new();
    for (Track { artist, album, .. }, &number) in tracks.iter().zip(earlier) {
        let known = number.filter(|&number| number > 0 && !artist.is_empty() && !album.is_empty());
        if let Some(number) = known {
            of_artist.entry(artist).or_default().entry(album).or_insert(number);
        }
    }
    let mut numbers = Vec::with_capacity(tracks.len());
    for Track { artist, album, .. } in tracks {
        if artist.is_empty() || album.is_empty() {
            numbers.push(0);
            continue;
        }
        let albums = of_artist.entry(artist).or_default();
        let last = albums.values().copied().max().unwrap_or(0);
        let next =
            if albums.values().any(|&number| number == 0) { 0 } else { last.wrapping_add(1) };
        numbers.push(*albums.entry(album).or_insert(next));
    }
    numbers.iter().any(|&number| number > 0).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(artist: &str, album: &str) -> Track {
        Track { artist: artist.into(), album: album.into(), ..Track::default() }
    }

    #[test]
    fn albums_are_numbered_artist_by_artist() {
        let tracks =
            [("A", "x"), ("B", "x"), ("A", "y"), ("A", "x"), ("A", ""), ("", "x"), ("B", "z")];
        let tracks = tracks.map(|(artist, album)| track(artist, album));
        assert_eq!(numbers(&tracks), Some(vec![1, 1, 2, 1, 0, 0, 2]));
    }

    #[test]
    fn an_artist_of_too_many_albums_has_some_that_are_not_told_apart() {
        let tracks: Vec<Track> = (0..300).map(|n| track("A", &n.to_string())).collect();
        let found = numbers(&tracks).unwrap();
        assert_eq!((found[254], found[255], found[299]), (255, 0, 0));
    }

    #[test]
    fn a_catalogue_without_albums_has_none() {
        assert_eq!(numbers(&[track("A", ""), track("", "x")]), None);
        assert_eq!(numbers(&[]), None);
    }
}
