//! Keys in listings with `encoding-type=url`.

use percent_encoding::percent_decode_str;

/// The raw key. S3 encodes as forms are encoded: a space is `+` (or `%20`, on other servers) and a plus is always
/// `%2B`. `None` when the key is not UTF-8.
pub(super) fn decode(encoded: &str) -> Option<String> {
    let spaced = encoded.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn both_encodings_of_a_space_are_read() {
        // Python: urllib.parse.quote_plus and urllib.parse.quote, both with safe="/".
        for (encoded, raw) in [
            ("a+b%2Bc/%C3%BC.jpg", "a b+c/ü.jpg"),
            ("a%20b%2Bc/%C3%BC.jpg", "a b+c/ü.jpg"),
            ("100%25%2F%00%0A", "100%/\0\n"),
            ("plain/key.jpg", "plain/key.jpg"),
        ] {
            assert_eq!(decode(encoded).as_deref(), Some(raw));
        }
        assert_eq!(decode("%FF"), None);
    }
}
