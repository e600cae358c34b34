//! Addresses of documents as paths, and back.

use lsp_types::Uri;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

/// The path of a document. One that is no file (`untitled:Untitled-1`) is known by its address.
pub fn path_of(uri: &Uri) -> PathBuf {
    let text = uri.as_str();
    let Some(rest) = text.strip_prefix("file://") else { return PathBuf::from(text) };
    let path = rest.find('/').map_or(rest, |at| &rest[at..]);
    let path = decoded(path);
    let drive = path.as_bytes().get(2) == Some(&b':') && cfg!(windows);
    plain(Path::new(if drive { &path[1..] } else { &path }))
}

/// The address of a path; `None` where it cannot be written as one.
pub fn uri_of(path: &Path) -> Option<Uri> {
    let text = path.to_str()?;
    if !path.is_absolute() && text.contains(':') {
        return Uri::from_str(text).ok();
    }
    let slashes = if cfg!(windows) { format!("/{}", text.replace('\\', "/")) } else { text.to_string() };
    Uri::from_str(&format!("file://{}", encoded(&slashes))).ok()
}

/// The path without `.`, and with `..` taken back, as text alone.
pub fn plain(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if result.file_name().is_some() => drop(result.pop()),
            part => result.push(part),
        }
    }
    result
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut result = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) => {
                result.push(value);
                at += 3;
            }
            None => {
                result.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&result).into_owned()
}

fn encoded(text: &str) -> String {
    let kept = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    text.bytes().map(|b| if kept(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_paths_agree() {
        for path in ["/home/me/net.arch", "/tmp/ä b/100%.arch", "/a/#x?.arch"] {
            let uri = uri_of(Path::new(path)).expect("an address");
            assert_eq!(path_of(&uri), Path::new(path));
        }
        let untitled = Uri::from_str("untitled:Untitled-1").expect("an address");
        assert_eq!(uri_of(&path_of(&untitled)), Some(untitled));
        assert_eq!(path_of(&Uri::from_str("file:///a/./b/../c.arch").expect("an address")), Path::new("/a/c.arch"));
    }
}
