//! Who may send.

use std::fmt;

use anyhow::ensure;
use axum::http::{HeaderMap, header};
use service::Secret;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

/// Shorter tokens could be guessed.
const MIN_LENGTH: usize = 16;

type Fingerprint = [u8; 32];

/// The tokens that are good: one, or two while senders change from one to the next.
///
/// Only fingerprints are kept: SHA-256 under a key that is made at start. They are compared in constant time, and a
/// stranger cannot predict the fingerprint of what it sends, so time says nothing of the tokens, their length included.
#[derive(Clone)]
pub struct Tokens {
    key: [u8; 32],
    good: [Fingerprint; 2],
}

impl Tokens {
    /// From the settings. An empty second token is none.
    ///
    /// # Errors
    /// A token that is too short, or has characters that no header could carry as one word; often a line end that came
    /// with a file. The message does not show it.
    pub fn new(current: &Secret, next: Option<&Secret>) -> anyhow::Result<Self> {
        let next = next.filter(|next| !next.expose().is_empty());
        check("GATEWAY_TOKEN", current)?;
        if let Some(next) = next {
            check("GATEWAY_TOKEN_NEXT", next)?;
        }
        let mut key = [0; 32];
        let random = [Uuid::new_v4(), Uuid::new_v4()];
        for (byte, random) in key.iter_mut().zip(random.iter().flat_map(Uuid::as_bytes)) {
            *byte = *random;
        }
        let good =
            [current, next.unwrap_or(current)].map(|token| fingerprint(&key, token.expose().as_bytes()));
        Ok(Self { key, good })
    }

    /// Whether a request with this head may be believed. Exactly one `Authorization`, scheme `Bearer` (RFC 6750).
    pub(crate) fn admit(&self, head: &HeaderMap) -> bool {
        let mut all = head.get_all(header::AUTHORIZATION).iter();
        let (Some(only), None) = (all.next(), all.next()) else { return false };
        bearer(only.as_bytes()).is_some_and(|token| self.is_good(token))
    }

    fn is_good(&self, token: &[u8]) -> bool {
        let shown = fingerprint(&self.key, token);
        let [current, next] = &self.good;
        // Both, always.
        (shown.ct_eq(current) | shown.ct_eq(next)).into()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(***)")
    }
}

fn check(name: &str, token: &Secret) -> anyhow::Result<()> {
    let token = token.expose();
    ensure!(
        token.len() >= MIN_LENGTH,
        "{name} has {} characters, at least {MIN_LENGTH} are needed",
        token.len()
    );
    ensure!(
        token.bytes().all(|byte| byte.is_ascii_graphic()),
        "{name} has a character that is not visible ASCII (a space, the end of a line, …)"
    );
    Ok(())
}

fn fingerprint(key: &[u8; 32], token: &[u8]) -> Fingerprint {
    Sha256::new().chain_update(key).chain_update(token).finalize().into()
}

/// `Bearer` in any case, spaces, the token.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(b"Bearer".len())?;
    (scheme.eq_ignore_ascii_case(b"Bearer") && rest.starts_with(b" ")).then(|| rest.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(current: &str, next: Option<&str>) -> anyhow::Result<Tokens> {
        let next = next.map(str::parse).transpose()?;
        Tokens::new(&current.parse()?, next.as_ref())
    }

    fn admits(tokens: &Tokens, values: &[&str]) -> anyhow::Result<bool> {
        let mut head = HeaderMap::new();
        for value in values {
            head.append(header::AUTHORIZATION, value.parse()?);
        }
        Ok(tokens.admit(&head))
    }

    #[test]
    fn both_tokens_are_good_and_nothing_else_is() -> anyhow::Result<()> {
        let two = tokens("the-first-token-1", Some("the-second-token-2"))?;
        for good in ["Bearer the-first-token-1", "bearer  the-second-token-2", "BEARER the-first-token-1 "] {
            assert!(admits(&two, &[good])?, "{good}");
        }
        for bad in [
            "the-first-token-1",
            "Basic the-first-token-1",
            "Bearer",
            "Bearer ",
            "Bearerthe-first-token-1",
            "Bearer the-first-token-",
            "Bearer the-first-token-11",
            "Bearer THE-FIRST-TOKEN-1",
            "Bearer the-first-token-1 the-second-token-2",
        ] {
            assert!(!admits(&two, &[bad])?, "{bad}");
        }
        assert!(!admits(&two, &[])?);
        assert!(!admits(&two, &["Bearer the-first-token-1", "Bearer the-first-token-1"])?, "which one?");
        Ok(())
    }

    #[test]
    fn an_empty_second_token_is_none() -> anyhow::Result<()> {
        assert!(!admits(&tokens("the-first-token-1", Some(""))?, &["Bearer "])?);
        Ok(())
    }

    #[test]
    fn bad_tokens_are_refused_and_not_shown() -> anyhow::Result<()> {
        for (current, next) in [
            ("", None),
            ("fifteen-letters", None),
            ("a-line-end-came-too\n", None),
            ("two words are not one", None),
            ("the-first-token-1", Some("fifteen-letters")),
        ] {
            let Err(error) = tokens(current, next) else { anyhow::bail!("{current:?} {next:?}") };
            let text = format!("{error:#}");
            assert!(!text.contains("fifteen-letters") && !text.contains("line-end-came"), "{text}");
        }
        Ok(())
    }
}
