//! What the SDK's errors mean to us. The only place that looks at status codes and error codes.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::BatchResultErrorEntry;

use crate::QueueError;

/// The error of a call.
pub(super) fn classify<E>(error: SdkError<E>) -> QueueError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(refused) = source_of::<CredentialsError>(&error) {
        return match refused {
            CredentialsError::ProviderTimedOut(_) => QueueError::Unavailable(chain(refused)),
            _ => QueueError::Denied(chain(refused)),
        };
    }
    let Some(status) = error.raw_response().map(|response| response.status().as_u16()) else {
        return match &error {
            // No request could be made of the endpoint and the queue's URL.
            SdkError::ConstructionFailure(_) => QueueError::Configuration(chain(&error)),
            // Timeouts and broken connections.
            _ => QueueError::Unavailable(chain(&error)),
        };
    };
    let service = error.as_service_error();
    let code = service.and_then(ProvideErrorMetadata::code).unwrap_or("");
    by_code(status, code, service.and_then(ProvideErrorMetadata::message))
}

/// The error of one entry of a batch.
pub(super) fn classify_entry(failed: &BatchResultErrorEntry) -> QueueError {
    // An entry has no status of its own; it says who is to blame.
    let status = if failed.sender_fault() { 400 } else { 500 };
    by_code(status, failed.code(), failed.message())
}

/// The same error without these receipts: SQS repeats them in its messages.
pub(super) fn hush(error: QueueError, receipts: &[&str]) -> QueueError {
    let hushed = |message: String| {
        let secrets = receipts.iter().filter(|receipt| !receipt.is_empty());
        secrets.fold(message, |message, receipt| message.replace(receipt, "***"))
    };
    match error {
        QueueError::Unavailable(message) => QueueError::Unavailable(hushed(message)),
        QueueError::Denied(message) => QueueError::Denied(hushed(message)),
        QueueError::Configuration(message) => QueueError::Configuration(hushed(message)),
        QueueError::Lost(message) => QueueError::Lost(hushed(message)),
        QueueError::Invalid(message) => QueueError::Invalid(hushed(message)),
    }
}

/// `code` comes as the JSON protocol names it (`QueueDoesNotExist`) or as the older query protocol did
/// (`AWS.SimpleQueueService.NonExistentQueue`): AWS sends both and the SDK prefers the old one, emulators send either.
fn by_code(status: u16, code: &str, message: Option<&str>) -> QueueError {
    let code = code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code);
    let message = message.unwrap_or("");
    let words = match (code, message) {
        ("", _) => format!("status {status}"),
        (_, "") => format!("{code} ({status})"),
        _ => format!("{code} ({status}): {message}"),
    };
    match (code, status) {
        ("QueueDoesNotExist" | "NonExistentQueue" | "InvalidAddress", _) => QueueError::Configuration(words),
        ("QueueNameExists" | "QueueAlreadyExists", _) => QueueError::Configuration(words),
        // A server that does not know the call is not the one that was meant.
        ("InvalidAction" | "UnknownOperationException" | "UnsupportedOperation", _) => {
            QueueError::Configuration(words)
        }
        ("ReceiptHandleIsInvalid" | "MessageNotInflight" | "InvalidIdFormat", _) => QueueError::Lost(words),
        ("InvalidParameterValue", _) if is_about_a_receipt(message) => QueueError::Lost(words),
        (code, _) if is_throttling(code) => QueueError::Unavailable(words),
        (code, _) if is_denial(code) => QueueError::Denied(words),
        (_, 401 | 403) => QueueError::Denied(words),
        (_, 300..=399 | 404 | 405 | 410 | 501) => QueueError::Configuration(words),
        (_, 408 | 425 | 429) => QueueError::Unavailable(words),
        // Too long, characters that are not allowed, values out of range.
        (_, 400..=499) => QueueError::Invalid(words),
        // 5xx, and a 200 whose body is not an answer.
        _ => QueueError::Unavailable(words),
    }
}

/// How SQS says that a delivery is over, by the code that it also uses for every wrong parameter.
fn is_about_a_receipt(message: &str) -> bool {
    message.contains("parameter ReceiptHandle")
        || message.contains("receipt handle has expired")
        || message.contains("not available for visibility timeout change")
}

fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "RequestThrottled"
            | "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
            | "SlowDown"
            | "OverLimit"
            | "KmsThrottled"
            | "KMS.ThrottlingException"
            | "ServiceUnavailable"
            | "InternalError"
            | "InternalFailure"
            | "InternalServerError"
            | "RequestTimeout"
            | "QueueDeletedRecently"
    )
}

/// Whoever we are, or the queue's key, does not open it.
fn is_denial(code: &str) -> bool {
    code.starts_with("Kms")
        || code.starts_with("KMS.")
        || matches!(
            code,
            "AccessDenied"
                | "AccessDeniedException"
                | "ExpiredToken"
                | "ExpiredTokenException"
                | "IncompleteSignature"
                | "InvalidAccessKeyId"
                | "InvalidClientTokenId"
                | "InvalidSecurity"
                | "InvalidSignatureException"
                | "MissingAuthenticationToken"
                | "MissingAuthenticationTokenException"
                | "NotAuthorized"
                | "OptInRequired"
                | "RequestExpired"
                | "SignatureDoesNotMatch"
                | "UnrecognizedClientException"
        )
}

fn source_of<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// The error and its causes: the SDK's own texts stop at "dispatch failure".
fn chain(error: &(dyn Error + 'static)) -> String {
    let texts: Vec<_> = causes(error).map(ToString::to_string).collect();
    texts.join(": ")
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| (*error).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_errors_are_classified() {
        // Codes and statuses: docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/ (each call, and
        // CommonErrors).
        for (status, code, expected) in [
            (400, "QueueDoesNotExist", "Configuration"),
            (400, "AWS.SimpleQueueService.NonExistentQueue", "Configuration"),
            (400, "InvalidAddress", "Configuration"),
            (404, "", "Configuration"),
            (301, "", "Configuration"),
            (400, "UnknownOperationException", "Configuration"),
            (400, "ReceiptHandleIsInvalid", "Lost"),
            (400, "AWS.SimpleQueueService.MessageNotInflight", "Lost"),
            (400, "AccessDenied", "Denied"),
            (403, "AccessDeniedException", "Denied"),
            (403, "", "Denied"),
            (403, "SignatureDoesNotMatch", "Denied"),
            (400, "UnrecognizedClientException", "Denied"),
            (400, "ExpiredTokenException", "Denied"),
            (400, "KMS.AccessDeniedException", "Denied"),
            (400, "KmsDisabled", "Denied"),
            (400, "KmsThrottled", "Unavailable"),
            (400, "RequestThrottled", "Unavailable"),
            (400, "ThrottlingException", "Unavailable"),
            (403, "OverLimit", "Unavailable"),
            (429, "", "Unavailable"),
            (500, "InternalError", "Unavailable"),
            (503, "", "Unavailable"),
            (200, "", "Unavailable"),
            (400, "InvalidMessageContents", "Invalid"),
            (400, "AWS.SimpleQueueService.BatchRequestTooLong", "Invalid"),
            (413, "", "Invalid"),
        ] {
            let error = by_code(status, code, None);
            assert!(format!("{error:?}").starts_with(expected), "{status} {code}: {error:?}");
        }
    }

    #[test]
    fn wrong_parameters_are_told_from_receipts_that_expired() {
        // Texts of SQS, from reports of its users.
        for (message, expected) in [
            (
                "Value AQEB for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.",
                "Lost",
            ),
            (
                "Value AQEB for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not \
                 available for visibility timeout change.",
                "Lost",
            ),
            (
                "One or more parameters are invalid. Reason: Message must be shorter than 262144 bytes.",
                "Invalid",
            ),
            (
                "Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the \
                 message is beyond the limit [43200 seconds]",
                "Invalid",
            ),
        ] {
            let error = by_code(400, "InvalidParameterValue", Some(message));
            assert!(format!("{error:?}").starts_with(expected), "{error:?}");
        }
    }

    #[test]
    fn receipts_are_not_repeated() {
        let error = by_code(400, "ReceiptHandleIsInvalid", Some("Value AQEB/x for parameter ReceiptHandle"));
        let hushed = hush(error, &["", "AQEB/x"]);
        assert_eq!(
            hushed,
            QueueError::Lost("ReceiptHandleIsInvalid (400): Value *** for parameter ReceiptHandle".into())
        );
    }
}
