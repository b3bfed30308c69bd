//! Reads files and finds tokens in them, on all cores.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use ignore::{DirEntry, WalkBuilder, WalkState};
use memchr::{memchr_iter, memrchr};
use parking_lot::Mutex;
use zeroize::Zeroizing;

use crate::domain::leak::{MAX_AFTER, MAX_BEFORE, token_at};
use crate::domain::token::KeyId;

/// Bytes read at a time.
const CHUNK: usize = 256 * 1024;

/// A token and its location.
pub struct Found {
    /// The file, or `-` for standard input.
    pub place: String,
    /// The line, from 1.
    pub line: u64,
    /// The byte in the line, from 1.
    pub column: u64,
    pub key_id: KeyId,
    /// Never shown.
    pub token: Zeroizing<String>,
}

/// Results so far.
#[derive(Default)]
pub struct Tally {
    pub files: AtomicU64,
    pub bytes: AtomicU64,
    found: Mutex<Vec<Found>>,
    errors: Mutex<Vec<String>>,
}

impl Tally {
    /// Number of tokens found so far.
    pub fn count(&self) -> usize {
        self.found.lock().len()
    }

    /// Returns the tokens, sorted by location, and the errors.
    pub fn finish(&self) -> (Vec<Found>, Vec<String>) {
        let mut errors = std::mem::take(&mut *self.errors.lock());
        errors.sort_unstable();
        let mut found = std::mem::take(&mut *self.found.lock());
        found.sort_unstable_by(|a, b| {
            (&a.place, a.line, a.column).cmp(&(&b.place, b.line, b.column))
        });
        (found, errors)
    }

    fn add_error(&self, error: String) {
        self.errors.lock().push(error);
    }

    /// Reads to the end and collects the tokens.
    pub fn read(&self, place: &str, input: impl Read) {
        match search(input, place, &self.bytes) {
            Ok(mut found) => {
                self.files.fetch_add(1, Ordering::Relaxed);
                if !found.is_empty() {
                    self.found.lock().append(&mut found);
                }
            }
            Err(error) => self.add_error(format!("{place}: {error}")),
        }
    }

    /// Reads the files below these paths on all cores, including hidden ones, but neither `.git` nor files
    /// that git ignores. Paths that are given themselves are always read.
    pub fn walk(&self, paths: &[PathBuf]) {
        let Some((first, others)) = paths.split_first() else {
            return;
        };
        let mut builder = WalkBuilder::new(first);
        for path in others {
            builder.add(path);
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        builder
            .threads(threads)
            .hidden(false)
            .require_git(false)
            .filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git");
        builder.build_parallel().run(|| {
            Box::new(|entry| {
                match entry {
                    Ok(entry) if is_readable(&entry) => self.open(entry.path()),
                    Ok(_) => {}
                    Err(error) => self.add_error(error.to_string()),
                }
                WalkState::Continue
            })
        });
    }

    fn open(&self, path: &Path) {
        let place = shown(path);
        match File::open(path) {
            Ok(file) => self.read(&place, file),
            Err(error) => self.add_error(format!("{place}: {error}")),
        }
    }
}

/// True for files, and for pipes and links that were given themselves.
fn is_readable(entry: &DirEntry) -> bool {
    match entry.file_type() {
        Some(kind) if kind.is_file() => true,
        _ => entry.depth() == 0 && !entry.path().is_dir(),
    }
}

/// A path without control characters, for printing.
fn shown(path: &Path) -> String {
    path.to_string_lossy()
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Finds all tokens of the input.
fn search(mut input: impl Read, place: &str, bytes: &AtomicU64) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut text = Vec::with_capacity(CHUNK + MAX_BEFORE + MAX_AFTER);
    // Location of the text's start, and the offset up to which dots were examined.
    let (mut line, mut column, mut searched) = (1, 1, 0);
    let mut is_wide = false;
    let mut is_begin = true;
    loop {
        let kept = text.len();
        let read = (&mut input).take(CHUNK as u64).read_to_end(&mut text)?;
        bytes.fetch_add(read as u64, Ordering::Relaxed);
        if is_begin {
            // UTF-16 is ASCII with a zero beside each byte.
            is_wide = text.starts_with(&[0xff, 0xfe]) || text.starts_with(&[0xfe, 0xff]);
            is_begin = false;
        }
        if is_wide {
            let mut place = 0;
            text.retain(|byte| {
                place += 1;
                place <= kept || *byte != 0
            });
        }
        let end = match read {
            0 => text.len(),
            _ => text.len().saturating_sub(MAX_AFTER).max(searched),
        };
        for dot in memchr_iter(b'.', &text[searched..end]) {
            let Some(range) = token_at(&text, searched + dot) else {
                continue;
            };
            let (start, token) = (range.start, String::from_utf8_lossy(&text[range]));
            let key_id = token.split('.').next().and_then(KeyId::parse);
            let Some(key_id) = key_id else { continue };
            let (line, column) = moved((line, column), &text[..start]);
            found.push(Found {
                place: place.to_owned(),
                line,
                column,
                key_id,
                token: Zeroizing::new(token.into_owned()),
            });
        }
        if read == 0 {
            return Ok(found);
        }
        // Drop the text in which no further token can start.
        let done = end.saturating_sub(MAX_BEFORE);
        (line, column) = moved((line, column), &text[..done]);
        text.drain(..done);
        searched = end - done;
    }
}

/// The location after this text.
fn moved((line, column): (u64, u64), text: &[u8]) -> (u64, u64) {
    let lines = memchr_iter(b'\n', text).count() as u64;
    match memrchr(b'\n', text) {
        Some(last) => (line + lines, (text.len() - last) as u64),
        None => (line, column + text.len() as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::compose;

    fn places(text: &[u8]) -> Vec<(u64, u64, String)> {
        let tally = Tally::default();
        tally.read("-", text);
        let (found, errors) = tally.finish();
        assert_eq!(errors, Vec::<String>::new());
        let place = |found: Found| (found.line, found.column, found.token.to_string());
        found.into_iter().map(place).collect()
    }

    #[test]
    fn tokens_are_found_at_their_place_over_the_edges_of_what_is_read_at_once() {
        let token = compose(&KeyId::parse("mpk_0f1e2d3c4b5a").unwrap(), &[0xa7; 64]);
        for before in (CHUNK - 2 * token.len()..CHUNK + token.len()).step_by(3) {
            let mut text = vec![b'x'; before];
            text[before - 10] = b'\n';
            text[before - 1] = b' ';
            text.extend_from_slice(token.as_bytes());
            text.extend_from_slice(b"\n\n");
            text.extend_from_slice(token.as_bytes());
            assert_eq!(
                places(&text),
                [(2, 10, token.clone()), (4, 1, token.clone())],
                "{before}"
            );
        }
        assert_eq!(places(b""), []);
    }

    #[test]
    fn wide_text_is_read_too() {
        let token = compose(&KeyId::parse("mpk_0f1e2d3c4b5a").unwrap(), &[0xa7; 32]);
        let text = format!("{}\r\nKEY={token}\r\n", "漢字 padding ".repeat(40_000));
        let wide: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        let found = places(&wide);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].0, &found[0].2), (2, &token));
    }
}
