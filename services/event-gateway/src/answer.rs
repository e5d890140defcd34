//! How requests end.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// What became of a request. Every request to the webhook ends as exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The queue has its events.
    Accepted,
    /// The queue has had its events since an earlier request.
    Duplicate,
    /// The sender only tried whether it reaches us.
    Test,
    /// It says nothing that we understand; the queue has it as poison.
    Poison,
    /// No token, or none that is good.
    Unauthorized,
    /// The body is larger than allowed.
    TooLarge,
    /// The body did not come in time.
    Timeout,
    /// Too many requests, or too many bytes, at a time.
    Overloaded,
    /// The queue did not take it for as long as we hold requests.
    Unavailable,
    /// Another path or method.
    NotFound,
    /// The sender went away before it was answered.
    Aborted,
}

impl Outcome {
    pub(crate) const ALL: [Self; 11] = [
        Self::Accepted,
        Self::Duplicate,
        Self::Test,
        Self::Poison,
        Self::Unauthorized,
        Self::TooLarge,
        Self::Timeout,
        Self::Overloaded,
        Self::Unavailable,
        Self::NotFound,
        Self::Aborted,
    ];

    /// As a label of metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Test => "test",
            Self::Poison => "poison",
            Self::Unauthorized => "unauthorized",
            Self::TooLarge => "too_large",
            Self::Timeout => "timeout",
            Self::Overloaded => "overloaded",
            Self::Unavailable => "unavailable",
            Self::NotFound => "not_found",
            Self::Aborted => "aborted",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Accepted | Self::Duplicate | Self::Test | Self::Poison => StatusCode::OK,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Overloaded | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Aborted => StatusCode::BAD_REQUEST,
        }
    }

    /// One more header, where the status asks for one or a sender can use one.
    fn header(self) -> Option<(header::HeaderName, &'static str)> {
        match self {
            Self::Unauthorized => Some((header::WWW_AUTHENTICATE, "Bearer")),
            // The rest of the body is not read, so nothing can follow it.
            Self::TooLarge | Self::Timeout | Self::Aborted => Some((header::CONNECTION, "close")),
            Self::Overloaded => Some((header::RETRY_AFTER, "1")),
            Self::Unavailable => Some((header::RETRY_AFTER, "5")),
            Self::Accepted | Self::Duplicate | Self::Test | Self::Poison | Self::NotFound => None,
        }
    }
}

impl IntoResponse for Outcome {
    /// Nothing in it depends on what was sent.
    fn into_response(self) -> Response {
        let mut response = (self.status(), format!("{}\n", self.label())).into_response();
        if let Some((name, value)) = self.header() {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
