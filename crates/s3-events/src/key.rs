//! How senders write keys.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::Sender;

/// What `application/x-www-form-urlencoded` escapes, less the slash: Amazon S3 sends `raw/a+b.jpg`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_').remove(b'/');

impl Sender {
    /// Whether keys come as they are. All others encode them as forms do: `+` is a space.
    ///
    /// "The object key name value is URL encoded. For example, `red flower.jpg` becomes `red+flower.jpg`" (S3 user
    /// guide); its EventBridge samples are not encoded, and neither is `object_key` in Ceph's `rgw_pubsub.cc`.
    fn sends_raw_keys(self) -> bool {
        match self {
            Self::EventBridge | Self::Ceph => true,
            Self::Aws | Self::Minio | Self::RustFs | Self::Other => false,
        }
    }
}

/// The key, and the key as sent if that is another one. Decodes exactly once.
pub(crate) fn decode(sender: Sender, sent: String) -> Result<(String, Option<String>), String> {
    if sender.sends_raw_keys() {
        return Ok((sent, None));
    }
    let spaced = sent.replace('+', " ");
    let key =
        percent_decode_str(&spaced).decode_utf8().map_err(|_| "the decoded key is not UTF-8".to_owned())?;
    let key = key.into_owned();
    let sent = (sent != key).then_some(sent);
    Ok((key, sent))
}

/// The key as this sender would have sent it, in the way of Amazon S3.
pub(crate) fn encode(sender: Sender, key: &str) -> String {
    if sender.sends_raw_keys() {
        return key.to_owned();
    }
    utf8_percent_encode(key, ESCAPED).to_string().replace("%20", "+")
}
