//! Queue URLs.

use crate::QueueError;

/// `https://sqs.<region>.amazonaws.com/<account>/<name>`, or the same on another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueueUrl {
    text: String,
    origin: String,
    host: String,
}

impl QueueUrl {
    pub(super) fn parse(text: &str) -> Result<Self, QueueError> {
        Self::parts(text).ok_or_else(|| {
            // Whatever stands before an @ may be a password.
            let shown = if text.contains('@') { "the URL with an @".to_owned() } else { format!("{text:?}") };
            let expected = "http(s)://<host>/<account>/<name>";
            QueueError::Configuration(format!("{shown} is not the URL of a queue: expected {expected}"))
        })
    }

    fn parts(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (authority, path) = rest.split_once('/')?;
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => host,
            _ => authority,
        };
        let host_is_fine =
            !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._:[]".contains(c));
        let name_is_fine = path.rsplit('/').next().is_some_and(|name| !name.is_empty());
        let path_is_fine = path.chars().all(|c| c.is_ascii_graphic() && !"?#@".contains(c));
        (matches!(scheme, "http" | "https") && host_is_fine && name_is_fine && path_is_fine).then(|| Self {
            text: text.to_owned(),
            origin: format!("{scheme}://{authority}"),
            host: host.to_ascii_lowercase(),
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// `http://host:port`.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether the SDK finds the server by itself.
    pub(super) fn is_aws(&self) -> bool {
        [".amazonaws.com", ".amazonaws.com.cn"].iter().any(|domain| self.host.ends_with(domain))
    }

    /// The region that an AWS host names: the label after `sqs`.
    pub(super) fn region(&self) -> Option<&str> {
        let mut labels = self.host.split('.');
        let found = labels.find(|label| matches!(*label, "sqs" | "sqs-fips"));
        found.and_then(|_| labels.next()).filter(|_| self.is_aws())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aws_urls_name_their_region() -> anyhow::Result<()> {
        // Hosts: docs.aws.amazon.com/general/latest/gr/sqs-service.html
        for (host, region) in [
            ("sqs.us-east-2.amazonaws.com", Some("us-east-2")),
            ("SQS.us-east-2.AmazonAWS.com", Some("us-east-2")),
            ("sqs-fips.us-west-1.amazonaws.com", Some("us-west-1")),
            ("sqs.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("queue.amazonaws.com", None),
        ] {
            let url = QueueUrl::parse(&format!("https://{host}/123456789012/name"))?;
            assert_eq!((url.is_aws(), url.region()), (true, region), "{host}");
        }
        Ok(())
    }

    #[test]
    fn other_urls_name_their_server() -> anyhow::Result<()> {
        for (text, origin) in [
            ("http://127.0.0.1:9324/000000000000/name", "http://127.0.0.1:9324"),
            ("http://[::1]:9324/1/name.fifo", "http://[::1]:9324"),
            ("http://elasticmq/queue/name", "http://elasticmq"),
            (
                "https://sqs.us-east-1.amazonaws.com.example.org/1/name",
                "https://sqs.us-east-1.amazonaws.com.example.org",
            ),
        ] {
            let url = QueueUrl::parse(text)?;
            assert_eq!((url.as_str(), url.origin()), (text, origin));
            assert_eq!((url.is_aws(), url.region()), (false, None), "{text}");
        }
        Ok(())
    }

    #[test]
    fn urls_of_nothing_are_refused() {
        for text in [
            "",
            "name",
            "arn:aws:sqs:us-east-1:123456789012:name",
            "ftp://host/1/name",
            "http://host",
            "http://host/",
            "http://host/1/",
            "http:///1/name",
            "http://ho st/1/name",
            "http://host/1/na me",
            "http://host/1/name?Action=SendMessage",
        ] {
            let refused = QueueUrl::parse(text);
            assert!(matches!(refused, Err(QueueError::Configuration(_))), "{text:?}: {refused:?}");
        }
    }

    #[test]
    fn passwords_are_not_repeated() {
        let refused = QueueUrl::parse("http://user:secret@host/1/name").expect_err("no place for a user");
        assert!(!refused.to_string().contains("secret"), "{refused}");
    }
}
