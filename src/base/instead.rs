//! What lies in place of a file that was to be fetched: downloads and checkouts fail without saying so.

/// What a file is instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// Not a byte.
    Nothing,
    /// A git-lfs pointer, which only names the file.
    Pointer,
    /// A web page: a server's message, or one to log in.
    Page,
}

impl Instead {
    /// By the first bytes of a file; some dozens suffice.
    pub fn of(start: &[u8]) -> Option<Self> {
        let head: Vec<u8> = start.iter().take(64).map(u8::to_ascii_lowercase).collect();
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).trim_ascii_start();
        let begins = |with: &[&str]| with.iter().any(|word| text.starts_with(word.as_bytes()));
        match () {
            () if start.is_empty() => Some(Self::Nothing),
            () if begins(&["version https://git-lfs"]) => Some(Self::Pointer),
            () if begins(&["<!doctype html", "<html", "<head", "<!--"]) => Some(Self::Page),
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Instead;

    #[test]
    fn what_came_instead_is_known_by_its_first_bytes() {
        assert_eq!(Instead::of(b""), Some(Instead::Nothing));
        assert_eq!(Instead::of(b"version https://git-lfs.github.com/spec/v1\noid"), Some(Instead::Pointer));
        for page in [&b"<!DOCTYPE html><html>"[..], b"\n <HTML>", b"\xef\xbb\xbf<head>"] {
            assert_eq!(Instead::of(page), Some(Instead::Page), "{page:?}");
        }
        assert_eq!((Instead::of(b"\x89PNG"), Instead::of(b"<svg>")), (None, None));
    }
}
